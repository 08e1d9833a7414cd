// What not every compiler has, and what stands in for it.
#pragma once

// MIZZLE_VECTORS: vector types with operators, by which a register full of numbers is computed with at once.
// Without them, or with MIZZLE_PLAIN_ARRAYS, arrays with the same operators stand in.
#if (defined(__GNUC__) || defined(__clang__)) && !defined(MIZZLE_PLAIN_ARRAYS)
#define MIZZLE_VECTORS
#endif

#if defined(_WIN32)
#define MIZZLE_EXPORT __declspec(dllexport)
#elif defined(__GNUC__)
#define MIZZLE_EXPORT __attribute__((visibility("default")))
#else
#define MIZZLE_EXPORT
#endif
