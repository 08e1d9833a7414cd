"""A cache of bounded size: the least recently used values go first, the last one never."""

from mizzle.data.lru import SizedLRU


def test_a_value_is_made_once_as_long_as_it_fits() -> None:
    cache: SizedLRU[str] = SizedLRU(10)
    made: list[str] = []

    def get(key: str, cells: int) -> str:
        return cache.get(key, cells, lambda: made.append(key) or key.upper())

    assert [get("a", 4), get("b", 4), get("a", 4)] == ["A", "B", "A"]
    get("c", 4)  # b goes: a was used after it
    assert [get("a", 4), get("c", 4), get("b", 4)] == ["A", "C", "B"]
    assert made == ["a", "b", "c", "b"]


def test_a_value_larger_than_the_cache_stays_until_the_next() -> None:
    cache: SizedLRU[int] = SizedLRU(10)
    assert [cache.get("large", 99, lambda: 1), cache.get("large", 99, lambda: 2)] == [1, 1]
    cache.get("small", 1, lambda: 3)
    assert cache.get("large", 99, lambda: 4) == 4
