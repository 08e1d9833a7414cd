#include "gram.h"

namespace mizzle {

void add_gram(const double* rows, int count, int columns, double* sums) {
    constexpr int LEFT = 4, RIGHT = 2;  // columns on the left, and lanes on the right, that stay in registers
    const int width = gram_width(columns);
    for (int i = 0; i < columns; i += LEFT)
        for (int j = i / GRAM_COLUMNS * GRAM_COLUMNS; j < width; j += RIGHT * LANES) {
            Lanes totals[LEFT][RIGHT];
            for (int a = 0; a < LEFT; ++a)
                for (int b = 0; b < RIGHT; ++b) totals[a][b] = load(sums + (i + a) * width + j + b * LANES);
            const double* row = rows;
            for (int r = 0; r < count; ++r, row += width) {
                Lanes right[RIGHT];
                for (int b = 0; b < RIGHT; ++b) right[b] = load(row + j + b * LANES);
                for (int a = 0; a < LEFT; ++a) {
                    const Lanes left = spread(row[i + a]);
                    for (int b = 0; b < RIGHT; ++b) totals[a][b] = multiply_add(left, right[b], totals[a][b]);
                }
            }
            for (int a = 0; a < LEFT; ++a)
                for (int b = 0; b < RIGHT; ++b) store(sums + (i + a) * width + j + b * LANES, totals[a][b]);
        }
}

}  // namespace mizzle
