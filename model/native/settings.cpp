#include "settings.h"

#include <iterator>
#include <sstream>

#include "calibrate.h"
#include "quantiles.h"

namespace mizzle {
namespace {

constexpr int FORMAT = 2;  // of weights files

// A JSON object, written in the order of its entries.
class Object {
public:
    Object& add(const std::string& name, const std::string& json) {
        text_ += (text_.empty() ? "\"" : ", \"") + name + "\": " + json;
        return *this;
    }
    Object& add(const std::string& name, int value) { return add(name, std::to_string(value)); }
    template <typename Number, std::size_t Count>
    Object& add(const std::string& name, const Number (&values)[Count]) {
        std::ostringstream list;
        list.imbue(std::locale::classic());
        for (const Number value : values) list << (list.tellp() ? ", " : "[") << value;
        return add(name, list.str() + "]");
    }
    std::string json() const { return "{" + text_ + "}"; }

private:
    std::string text_;
};

std::string statistics() {
    return R"({"ridges": [0.03, 0.1, 0.3, 1.0, 3.0], "bins": [8, 4], "neighbours": [1, 3, 10],
        "queries": [128, 256], "rows": 64, "pooled": [256, 1024], "edges": 12, "fine_bins": [32, 16, 8, 4],
        "variates": 5, "few_columns": 10, "partial_ridges": [0.1, 1.0], "norm_ridge": 1, "plane": 2,
        "functions": [4, 2, 8, [0.1, 1.0]], "beyond": [2, 10, 3], "local_ridges": [0.001, 0.03, 0.01],
        "directions": 8, "scales": [6, 20]})";
}

}  // namespace

std::string settings() {
    const std::string strata =
        Object().add("rows", ROW_EDGES).add("columns", COLUMN_EDGES).add("answers", ANSWERS).json();
    return Object()
        .add("format", FORMAT)
        .add("levels", LEVELS)
        .add("tokens", statistics())
        .add("strata", strata)
        .json();
}

std::string channels() {
    const std::string rows =
        Object().add("neighbours", 11).add("plane", 7).add("sizes", 3).add("local information", 11).json();
    const std::string columns = Object().add("columns", 32).add("sizes", 3).json();
    const std::string spectrum = Object().add("spectrum", 21).add("sizes", 3).add("nonlinear", 8).json();
    const std::string edges = Object().add("edges", 14).add("sizes", 3).json();
    const std::string overall = Object()
                                    .add("columns", 96)
                                    .add("neighbours", 22)
                                    .add("spectrum", 50)
                                    .add("coupling", 4)
                                    .add("plane", 6)
                                    .add("edges", 20)
                                    .add("sizes", 6)
                                    .add("nonlinear", 28)
                                    .add("local information", 22)
                                    .add("geometry", 10)
                                    .json();
    return Object()
        .add("rows", rows)
        .add("columns", columns)
        .add("spectrum", spectrum)
        .add("edges", edges)
        .add("overall", overall)
        .json();
}

}  // namespace mizzle
