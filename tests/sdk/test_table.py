"""CSV files: what is read, and every defect with its line and column."""

import numpy as np
import pytest

from mizzle import errors
from mizzle.table import read_columns


@pytest.fixture
def read(tmp_path):
    """Reads columns of a file with this content."""

    def read(content, names="ab"):
        path = tmp_path / "data.csv"
        path.write_bytes(content if isinstance(content, bytes) else content.encode())
        return read_columns(path, list(names))

    return read


@pytest.mark.parametrize(
    "content",
    [
        "a,b\n1,2\n3,4.5\n",
        "a,b\r\n1,2\r\n3,4.5",
        "b,c,a\n2,text,1\n4.5,,3\n",
        '"a","b"\n"1",2\n+3,.45e1\n',
        " a , b \n 1 , 2\n3, 4.5\n",
        "\ufeffa,b\n1,2\n3,4.5\n",
        "a,b\n1,2\n3,4.5\n\n\n",
        "a,b,,\n1,2,,\n3,4.5,,\n",
    ],
)
def test_columns_are_found_by_name(read, content):
    np.testing.assert_array_equal(read(content), [[1, 2], [3, 4.5]])


def test_numeric_names_are_names(read):
    np.testing.assert_array_equal(read("2019,2020\n1,2\n", ["2020"]), [[2]])


def test_integers_up_to_the_limit_are_exact_however_they_are_written(read):
    np.testing.assert_array_equal(read(f"a,b\n{'0' * 5000}{2**53},-{2**53}\n"), [[2**53, -(2**53)]])


def test_a_file_without_rows_is_a_table_without_rows(read):
    assert read("a,b\n").shape == (0, 2)


REFUSED = [
    ("", errors.InvalidFile, "first line is empty"),
    ("\n1,2\n", errors.InvalidFile, "first line is empty"),
    ("1,2\n3,4\n", errors.InvalidFile, "names is needed"),
    ("a,b,a\n1,2,3\n", errors.InvalidFile, "column 'a' 2 times"),
    ("a,b\n1,2\n31337\n", errors.InvalidFile, "line 3 has 1 cells and the header has 2"),
    ("a,b\n1,2\n1,2,31337\n", errors.InvalidFile, "line 3 has 3 cells"),
    ("a,b\n1,2\n\n3,4\n", errors.InvalidFile, "line 3 is empty"),
    ('a,b\n1,"2\n3,4\n', errors.InvalidFile, "no CSV"),
    (b"a,b\n1,\xff\n", errors.InvalidFile, "UTF-8"),
    ("a,b\n1,2\n".encode("utf-16"), errors.InvalidFile, "UTF-8"),
    ("a,c\n1,2\n", errors.MissingColumn, "'b'; the file has 'a', 'c'"),
    ("a;b\n1;2\n", errors.MissingColumn, "commas"),
    ("a\tb\n1\t2\n", errors.MissingColumn, "commas"),
    ("a,b\n1,\n", errors.NotNumeric, "line 2, column 'b' is empty"),
    ("a,b\n1, \n", errors.NotNumeric, "line 2, column 'b' is empty"),
    ("a,b\n1,2\n31337x,4\n", errors.NotNumeric, "line 3, column 'a' is no number"),
    ("a,b\n1,31_337\n", errors.NotNumeric, "line 2, column 'b'"),
    ("a,b\n1,\u0661\n", errors.NotNumeric, "line 2, column 'b'"),
    ("a,b\n1,True\n", errors.NotNumeric, "line 2, column 'b'"),
    ('a,b\n1,"31337,5"\n', errors.NotNumeric, "line 2, column 'b'"),
    ("a,b\n1,\x00\n", errors.NotNumeric, "line 2, column 'b'"),
    ("a,b\n1,nan\n", errors.NotFinite, "line 2, column 'b'"),
    ("a,b\n-inf,2\n", errors.NotFinite, "line 2, column 'a'"),
    ("a,b\n1e999,2\n", errors.NotFinite, "line 2, column 'a'"),
    ("a,b\n9007199254740993,2\n", errors.PrecisionLoss, "line 2, column 'a'"),
    (f"a,b\n{'9' * 5000},2\n", errors.NotFinite, "line 2, column 'a'"),
    (f"a,b\n-{'0' * 5000}9007199254740993,2\n", errors.PrecisionLoss, "line 2, column 'a'"),
    (f"a,b\n1{'0' * 300},2\n", errors.PrecisionLoss, "line 2, column 'a'"),
]


@pytest.mark.parametrize(("content", "error", "words"), REFUSED)
def test_defects_are_refused_with_their_place(read, content, error, words):
    with pytest.raises(error, match=words) as caught:
        read(content)
    assert type(caught.value) is error
    assert "31337" not in str(caught.value)


def test_a_misspelt_name_gets_a_suggestion(read):
    with pytest.raises(errors.MissingColumn, match="did you mean 'weight'"):
        read("height,weight\n1,2\n", ["wieght"])


def test_many_and_long_and_strange_names_stay_short(read):
    header = ",".join(["\x1b[31m" + "n" * 5000] + [f"c{i}" for i in range(5000)])
    with pytest.raises(errors.MissingColumn, match="and 4989 more") as caught:
        read(header + "\n", ["z" * 5000])
    assert len(str(caught.value)) < 500
    assert "\x1b" not in str(caught.value)


def test_a_record_over_several_lines_keeps_the_count(read):
    with pytest.raises(errors.NotNumeric, match="line 4, column 'b'"):
        read('a,b,c\n1,2,"two\nlines"\n1,x,3\n')


def test_paths_that_are_no_files(tmp_path):
    with pytest.raises(errors.InvalidFile, match="no file"):
        read_columns(tmp_path / "none.csv", ["a"])
    with pytest.raises(errors.InvalidFile, match="directory"):
        read_columns(tmp_path, ["a"])
