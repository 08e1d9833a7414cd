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


def notes(content, **options):
    return csv_reader.read(content.encode(), None, TextFormat(missing="drop", **options)).notes


def test_what_was_assumed_is_said_by_column_and_marker() -> None:
    assert notes("a,b\n1,x\nNA,?\n?,\n2,x\n") == ("read as missing: 1 x NA, 1 x ? in 'a', 1 x ? in 'b'",)
    assert notes("a,b\n1,2\n,3\n") == ()
    many = ",".join("abcdef")
    assert notes(f"{many}\n{','.join(['NA'] * 6)}\n{','.join('1' * 6)}\n")[0].endswith("and 2 more")


def test_more_markers_can_be_named_and_a_number_is_one_however_it_is_written() -> None:
    options = {"markers": Markers(("-999", "none", "inf")), "missing": "drop"}
    result = read("a,b,c\n1,none,inf\n-999.0,x,1\n-9.99e2,y,2\nNA,x,3\n", "abc", **options)
    np.testing.assert_array_equal(result["a"], [1, np.nan, np.nan, np.nan])
    assert result["b"] == [None, "x", "y", "x"]
    np.testing.assert_array_equal(result["c"], [np.nan, 1, 2, 3])


def test_declared_labels_have_the_same_markers() -> None:
    assert read("a,b\n1,7\n2,NA\n", missing="drop", labels=["b"])["b"] == ["7", None]


@pytest.mark.parametrize(
    ("options", "cells", "values"),
    [
        ({"thousands": ","}, ["1,234,567", "-1,234.5", "12", "0.5"], [1234567, -1234.5, 12, 0.5]),
        ({"thousands": ","}, ["12,34,567", "1,000", "5", "7"], [1234567, 1000, 5, 7]),
        ({"thousands": ".", "decimal": ","}, ["1.234,5", "1.000", "2,5", "3"], [1234.5, 1000, 2.5, 3]),
        ({"thousands": " "}, ["1 234", "1\u00a0234 567", "2\u202f000.5", "3"], [1234, 1234567, 2000.5, 3]),
        ({"thousands": "'"}, ["1'234", "12'000", "5", "6"], [1234, 12000, 5, 6]),
        ({"thousands": ","}, ["9,007,199,254,740,993", "9,007,199,254,740,992", "1", "0"], [3, 2, 1, 0]),
    ],
)
def test_thousands_are_read_where_the_caller_says_so(options, cells, values) -> None:
    content = "a\tb\n" + "".join(f'"{cell}"\t1\n' for cell in cells)
    np.testing.assert_array_equal(read(content, separator="\t", **options)["a"], values)


@pytest.mark.parametrize("cell", ["1,5", "1,23", "1,,234", ",234", "1234,567", "1,234,", "0.1,234"])
def test_groups_of_another_length_are_no_thousands(cell: str) -> None:
    with pytest.raises(errors.NotNumeric, match="line 3, column 'a' is no number"):
        read(f'a,b\n1,2\n"{cell}",3\n', thousands=",")


def test_thousands_without_the_option_name_it() -> None:
    for cells in (["1,234", "2"], ["1,234", "2,345"]):
        with pytest.raises(errors.NotNumeric, match="--thousands ,"):
            read("a;b\n" + "".join(f"{cell};1\n" for cell in cells))


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16", "utf-16-le-sig", "utf-16-be-sig"])
def test_marks_of_order_do_not_matter(encoding: str) -> None:
    text = "größe;b\r\n1;x\r\n2;y\r\n"
    mark = "\ufeff" if encoding.startswith("utf-16-") else ""
    table = csv_reader.read(f"{mark}{text}".encode(encoding.removesuffix("-sig") if mark else encoding))
    assert list(table.columns) == ["größe", "b"]
    assert table.notes == (("the text is UTF-16",) if "16" in encoding else ())


@pytest.mark.parametrize("mark", [" ", "   "])
def test_spaces_separate_where_the_next_lines_have_as_many_words(mark: str) -> None:
    lines = ["a b", "1 2.5", "3 4.5"]
    assert read("\n".join(line.replace(" ", mark) for line in lines))["b"].tolist() == [2.5, 4.5]
    named = read(f'mpg{mark}cyl\n"Mazda RX4"{mark}21{mark}6\nValiant{mark}18{mark}4\n', None)
    assert {name: cells.tolist() for name, cells in named.items()} == {"mpg": [21, 18], "cyl": [6, 4]}
    assert list(read("first name\nann\nbob\n", None)) == ["first name"]


def test_an_index_is_read_where_it_is_named() -> None:
    content = ",a\n0,1\n1,2\n"
    assert list(read(content, None)) == ["a"]
    assert read(content, ["Unnamed: 0"])["Unnamed: 0"].tolist() == [0, 1]


def test_text_that_is_no_labels_is_left_out_of_a_table_but_not_where_it_is_needed() -> None:
    rows = "".join(f"{i},{i * i},person {i},{i:02}/01/2020,{i if i % 2 else 'x'}\n" for i in range(1, 31))
    content = f"a,b,who,day,mixed\n{rows}".encode()
    table = csv_reader.read(content)
    assert list(table.columns) == ["a", "b"]
    [note] = table.notes
    assert "'who' (free text, 30 different values in 30 rows), 'day' (dates as text" in note
    assert "'mixed' (numbers and text, as in line 3)" in note
    assert "--strict" in note
    for options in ({"required": ["who"]}, {"required": None}, {"names": ["a", "who"]}):
        with pytest.raises(errors.NotNumeric, match="column 'who' holds free text") as caught:
            csv_reader.read(content, **options)
        assert type(caught.value) is errors.NotNumeric
    with pytest.raises(errors.NotNumeric, match="neither can 'day', 'mixed' be used"):
        csv_reader.read(content, required=None)
    with pytest.raises(errors.NotNumeric, match="who"):
        csv_reader.read(content, exclude=["a"])


def test_integers_beyond_the_limit_are_ranked_among_all_numbers() -> None:
    cells = [2**53 + 1, 2**53, "", "1.5", -(2**70), 2**53 + 1, "1" + "0" * 400]
    values = read("a,b\n" + "".join(f"{cell},1\n" for cell in cells), missing="drop")["a"]
    np.testing.assert_array_equal(values, [3, 2, np.nan, 1, 0, 3, 4])
