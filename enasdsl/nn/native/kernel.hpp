// What all kernels share: vectorised variants by processor, and work dealt out over threads.
#pragma once

#include <cstdint>

#if defined(__x86_64__) && defined(__GNUC__) && !defined(__clang__)
#define VARIANTS __attribute__((target_clones("arch=x86-64-v4", "arch=x86-64-v3", "default")))
#else
#define VARIANTS
#endif

#ifdef _OPENMP
#define EACH_LANE _Pragma("omp simd")
#else
#define EACH_LANE
#endif

#define EXPORTED extern "C" __attribute__((visibility("default")))

// Calls work(first, last, part) for `parts` equal ranges of `count`, in parallel.
template <class Work>
void dealt(int64_t count, int64_t parts, Work work) {
#ifdef _OPENMP
#pragma omp parallel for num_threads(parts) schedule(static) if (parts > 1)
#endif
  for (int64_t part = 0; part < parts; ++part) {
    work(count * part / parts, count * (part + 1) / parts, part);
  }
}
