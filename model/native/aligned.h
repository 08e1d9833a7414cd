#pragma once
// Arrays that start where a cache line does: whole registers are then read from one line, not from two.

#include <cstddef>
#include <new>
#include <vector>

namespace mizzle {

template <class T> struct LineAllocator {
    using value_type = T;
    static constexpr std::align_val_t LINE{64};

    LineAllocator() = default;
    template <class Other> LineAllocator(const LineAllocator<Other>&) {}
    T* allocate(std::size_t count) { return static_cast<T*>(::operator new(count * sizeof(T), LINE)); }
    void deallocate(T* array, std::size_t) { ::operator delete(array, LINE); }
    bool operator==(const LineAllocator&) const { return true; }
    bool operator!=(const LineAllocator&) const { return false; }
};

template <class T> using Aligned = std::vector<T, LineAllocator<T>>;

} // namespace mizzle
