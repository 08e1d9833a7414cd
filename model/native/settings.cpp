#include "settings.h"

#include <locale>
#include <sstream>

#include "calibrate.h"
#include "net.h"
#include "quantiles.h"
#include "registry.h"

namespace mizzle {
namespace {

static_assert(KINDS == AXES, "the net does not know all kinds of tokens");

constexpr int FORMAT = 2;  // of weights files

template <typename Number>
std::string number(Number value) {
    std::ostringstream text;
    text.imbue(std::locale::classic());
    text << value;
    return text.str();
}

template <typename Number, std::size_t Count>
std::string items(const Number (&values)[Count]) {
    std::string text;
    for (const Number value : values) text += (text.empty() ? "" : ", ") + number(value);
    return text;
}

template <typename Number, std::size_t Count>
std::string list(const Number (&values)[Count]) {
    return "[" + items(values) + "]";
}

// A JSON object, written in the order of its entries.
class Object {
public:
    Object& add(const std::string& name, const std::string& json) {
        text_ += (text_.empty() ? "\"" : ", \"") + name + "\": " + json;
        return *this;
    }
    std::string json() const { return "{" + text_ + "}"; }

private:
    std::string text_;
};

// As `registry.settings()`, in its order.
std::string statistics_settings() {
    const int sizes[] = {nonlinear::FUNCTIONS, nonlinear::WIDE_FUNCTIONS, nonlinear::WIDE};
    const int beyond[] = {BEYOND[0], BEYOND[1], SMALL};
    const double local_ridges[] = {RIDGES[0], RIDGES[1], METRIC_RIDGE};
    return Object()
        .add("ridges", list(moments::RIDGES))
        .add("bins", list(bins::BINS))
        .add("neighbours", list(NEIGHBOURS))
        .add("queries", list(QUERIES))
        .add("rows", number(ROWS))
        .add("pooled", list(POOLED))
        .add("edges", number(edges::EDGES))
        .add("fine_bins", list(bins::FINE_BINS))
        .add("variates", number(VARIATES))
        .add("few_columns", number(FEW_COLUMNS))
        .add("partial_ridges", list(moments::PARTIAL_RIDGES))
        .add("norm_ridge", number(moments::NORM_RIDGE))
        .add("plane", number(PLANE))
        .add("functions", "[" + items(sizes) + ", " + list(nonlinear::FUNCTION_RIDGES) + "]")
        .add("beyond", list(beyond))
        .add("local_ridges", list(local_ridges))
        .add("directions", number(WIDE))
        .add("scales", list(SCALES))
        .json();
}

}  // namespace

std::string settings() {
    const std::string strata = Object()
                                   .add("rows", list(ROW_EDGES))
                                   .add("columns", list(COLUMN_EDGES))
                                   .add("answers", list(ANSWERS))
                                   .json();
    return Object()
        .add("format", number(FORMAT))
        .add("levels", list(LEVELS))
        .add("tokens", statistics_settings())
        .add("strata", strata)
        .json();
}

}  // namespace mizzle
