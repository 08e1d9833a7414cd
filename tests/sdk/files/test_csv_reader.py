"""CSV and TSV files: what is read, and every defect with its line and column."""

import numpy as np
import pytest

from mizzle import errors
from mizzle.files import csv_reader
from mizzle.files.csv_columns import TextFormat
from mizzle.files.markers import DEFAULT_MARKERS, Markers


def read(content, names="ab", exclude=(), **options):
    """The columns, refusing as where each is named."""
    content = content if isinstance(content, bytes) else content.encode()
    names = None if names is None else list(names)
    return csv_reader.read(content, names, TextFormat(**options), exclude, None).columns


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
def test_columns_are_found_by_name(content: str) -> None:
    result = read(content)
    np.testing.assert_array_equal(result["a"], [1, 3])
    np.testing.assert_array_equal(result["b"], [2, 4.5])


def test_all_columns_are_those_with_a_name() -> None:
    assert list(read("b,a,,\n1,2,,\n", None)) == ["b", "a"]


def test_numeric_names_are_names_where_they_are_named() -> None:
    np.testing.assert_array_equal(read("2019,2020\n1,2\n", ["2020"])["2020"], [2])


def test_integers_up_to_the_limit_are_exact_however_they_are_written() -> None:
    result = read(f"a,b\n{'0' * 5000}{2**53},-{2**53}\n")
    assert (result["a"], result["b"]) == (2**53, -(2**53))


def test_a_file_without_rows_is_a_table_without_rows() -> None:
    assert read("a,b\n")["a"].shape == (0,)


def test_tabs_separate_where_the_caller_says_so() -> None:
    result = read('a\tb,c\n1\t"2,x"\n', ["b,c"], separator="\t")
    assert result["b,c"] == ["2,x"]


@pytest.mark.parametrize("mark", [",", ";", "\t"])
@pytest.mark.parametrize("header", ['a{0}b{0}"c,;d"', "a{0} b {0}c"])
def test_the_first_line_says_what_separates_cells(mark: str, header: str) -> None:
    content = f"{header.format(mark)}\n1{mark}2.5{mark}x\n"
    result = read(content, None)
    assert [result["a"], result["b"]] == [1, 2.5]
    assert len(result) == 3


def test_any_mark_separates_where_the_caller_says_so() -> None:
    assert read("a|b\n1|2\n", separator="|")["b"] == 2


def test_decimal_commas_are_read_where_the_caller_says_so() -> None:
    result = read("a;b;kind\n12,5;1;x,y\n-0,5;2,25e1;z.w\n", ["a", "b", "kind"], decimal=",")
    assert result["a"].tolist() == [12.5, -0.5]
    assert result["b"].tolist() == [1, 22.5]
    assert result["kind"] == ["x,y", "z.w"]


@pytest.mark.parametrize("cells", [["31337,5", "9,5", "10,5"], ["31337,5", "9", "10"], ["1.234,50", "9,00"]])
def test_decimal_commas_are_never_labels(cells) -> None:
    content = "a;b\n" + "".join(f"{cell};1\n" for cell in cells)
    with pytest.raises(errors.NotNumeric, match=r"column 'a'.*--decimal , reads decimal commas") as caught:
        read(content)
    assert "31337" not in str(caught.value)


@pytest.mark.parametrize("cells", [["1.234,50", "9,00"], ["12.5", "9.5"], ["12.5", "9"]])
def test_points_are_no_decimals_where_commas_are(cells) -> None:
    with pytest.raises(errors.NotNumeric, match="column 'a'"):
        read("a;b\n" + "".join(f"{cell};1\n" for cell in cells), decimal=",")


@pytest.mark.parametrize(
    ("form", "words"),
    [("${}.50", "currency"), ("{}.5%", "percent"), ("{:02}/01/2020", "dates"), ("patient {}", "free text")],
)
def test_text_that_is_no_labels_is_refused_unless_it_is_said_to_be(form: str, words: str) -> None:
    cells = [form.format(i) for i in range(1, 30)]
    content = "a,b\n" + "".join(f"{i},{cell}\n" for i, cell in enumerate(cells))
    with pytest.raises(errors.NotNumeric, match=f"column 'b' holds .*{words}.*29 rows.*--exclude.*--labels"):
        read(content)
    assert read(content, labels=["b"])["b"] == cells
    assert list(read(content, None, exclude=["b"])) == ["a"]


@pytest.mark.parametrize("option", ["labels", "exclude"])
def test_a_name_must_be_one_wherever_it_is_named(option: str) -> None:
    with pytest.raises(errors.MissingColumn, match="did you mean 'weight'"):
        read("height,weight\n1,2\n", None, **{option: ["wieght"]})


def test_a_column_that_is_left_out_is_not_read() -> None:
    assert list(read("a,b,b,\n1,x,2,3\n", None, exclude=["b", "Unnamed: 3"])) == ["a"]


@pytest.mark.parametrize("word", ["", " ", *DEFAULT_MARKERS, " NA "])
def test_missing_cells_of_numbers_are_refused_or_nan(word: str) -> None:
    content = f"a,b\n1,2\n3,{word}\n"
    with pytest.raises(errors.NotFinite, match=r"line 3, column 'b' is missing.*--missing drop"):
        read(content)
    np.testing.assert_array_equal(read(content, missing="drop")["b"], [2, np.nan])


def test_a_column_without_any_value_is_missing_throughout() -> None:
    np.testing.assert_array_equal(read("a,b\n1,NA\n2,\n", missing="drop")["b"], [np.nan, np.nan])


def test_a_label_that_looks_like_a_marker_is_one_where_the_caller_says_so() -> None:
    """Among countries NA is one, say."""
    content = "a,b\n1,NA\n2, x\n3,\n"
    assert read(content, missing="drop")["b"] == [None, "x", None]
    assert read(content, missing="drop", markers=Markers(default=False))["b"] == ["NA", "x", None]
    assert read(content, missing="drop", markers=Markers((" x",), default=False))["b"] == ["NA", None, None]


def test_numbers_are_labels_where_the_caller_says_so() -> None:
    result = read("a,b\n007,1\n7,2\n", labels=["a"])
    assert result["a"] == ["007", "7"]
    np.testing.assert_array_equal(result["b"], [1, 2])


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
    ("a,b\n1,2\n".encode("utf-32"), errors.InvalidFile, "UTF-8"),
    ("a,c\n1,2\n", errors.MissingColumn, "'b'; the table has 'a', 'c'"),
    ("a|b\n1|2\n", errors.InvalidFile, "--sep"),
    ("a,b\n1,2\n31337x,4\n", errors.NotNumeric, "line 3, column 'a' is no number"),
    ("a,b\n1,1\n1,31_337\n", errors.NotNumeric, "line 3, column 'b'"),
    ("a,b\n1,1\n1,\u0661\n", errors.NotNumeric, "line 3, column 'b'"),
    ("a,b\n1,1\n1,True\n", errors.NotNumeric, "line 3, column 'b'"),
    ('a,b\n1,1\n1,"31337,5"\n', errors.NotNumeric, "line 3, column 'b'"),
    ("a,b\n1,1\n1,\x00\n", errors.NotNumeric, "line 3, column 'b'"),
    ("a,b\n-inf,2\n", errors.NotFinite, "line 2, column 'a'"),
    ("a,b\n1e999,2\n", errors.NotFinite, "line 2, column 'a'"),
    (f"a,b\n{'9' * 5000},2\n", errors.PrecisionLoss, "line 2, column 'a'"),
    (f"a,b\n-{'0' * 5000}9007199254740993,2\n", errors.PrecisionLoss, "line 2, column 'a'"),
]


@pytest.mark.parametrize(("content", "error", "words"), REFUSED)
@pytest.mark.parametrize("missing", ["raise", "drop"])
def test_defects_are_refused_with_their_place(content, error, words: str, missing: str) -> None:
    with pytest.raises(error, match=words) as caught:
        read(content, missing=missing)
    assert type(caught.value) is error
    assert "31337" not in str(caught.value)


@pytest.mark.parametrize(
    ("content", "words"),
    [
        ("1,2\n3,4\n", "numbers only"),
        ("a,b,a\n1,2,3\n", "'a' 2 times"),
        ("a|b\n1|2\n", "--sep"),
    ],
)
def test_whole_files_need_good_headers(content: str, words: str) -> None:
    with pytest.raises(errors.InvalidFile, match=words):
        read(content, None)


def test_a_misspelt_name_gets_a_suggestion() -> None:
    with pytest.raises(errors.MissingColumn, match="did you mean 'weight'"):
        read("height,weight\n1,2\n", ["wieght"])


def test_many_and_long_and_strange_names_stay_short() -> None:
    header = ",".join(["\x1b[31m" + "n" * 5000] + [f"c{i}" for i in range(5000)])
    with pytest.raises(errors.MissingColumn, match="and 4989 more") as caught:
        read(header + "\n", ["z" * 5000])
    assert len(str(caught.value)) < 500
    assert "\x1b" not in str(caught.value)


def test_a_record_over_several_lines_keeps_the_count() -> None:
    with pytest.raises(errors.NotNumeric, match="line 5, column 'b'"):
        read('a,b,c\n1,1,x\n1,2,"two\nlines"\n1,x,3\n')
