// Batch norm of rows of channels, with a ReLU behind it where that is asked for.
//
// One pass adds up each channel, one writes the result; torch makes three, and adds in single
// precision. Here 64 rows are added in the precision of the numbers, and their sums in double.

#include <algorithm>
#include <cmath>
#include <vector>

#include "kernel.hpp"

namespace {

constexpr int64_t BLOCK = 64;

// Two sums for each channel, and room for those of one block.
template <class T>
struct Sums {
  explicit Sums(int64_t channels) : first(channels), second(channels), block(2 * channels) {}

  void open() { std::fill(block.begin(), block.end(), T(0)); }

  void close() {
    const int64_t channels = first.size();
    for (int64_t i = 0; i < channels; ++i) {
      first[i] += block[i];
      second[i] += block[channels + i];
    }
  }

  void add(const Sums& other) {
    for (size_t i = 0; i < first.size(); ++i) {
      first[i] += other.first[i];
      second[i] += other.second[i];
    }
  }

  std::vector<double> first, second;
  std::vector<T> block;
};

// What a channel is scaled by, and moved by before and after.
template <class T>
struct Affine {
  std::vector<T> mean, factor, offset;

  Affine(const T* statistics, const T* scale, const T* offsets, int64_t channels)
      : mean(statistics, statistics + channels), factor(channels), offset(channels) {
    for (int64_t i = 0; i < channels; ++i) {
      factor[i] = statistics[channels + i] * (scale ? scale[i] : T(1));
      offset[i] = offsets ? offsets[i] : T(0);
    }
  }
};

// The sums of x - shift and of its square.
template <class T>
VARIANTS void add_values(const T* x, const T* shift, int64_t rows, int64_t channels, T* first,
                         T* second) {
  for (int64_t row = 0; row < rows; ++row, x += channels) {
    EACH_LANE
    for (int64_t i = 0; i < channels; ++i) {
      const T centred = x[i] - shift[i];
      first[i] += centred;
      second[i] += centred * centred;
    }
  }
}

// The sums of the gradient behind the norm, and of its product with x - mean.
template <class T, bool relu>
VARIANTS void add_gradients(const T* x, const T* grad, const T* mean, const T* factor,
                            const T* offset, int64_t rows, int64_t channels, T* first, T* second) {
  for (int64_t row = 0; row < rows; ++row, x += channels, grad += channels) {
    EACH_LANE
    for (int64_t i = 0; i < channels; ++i) {
      const T centred = x[i] - mean[i];
      const T whole = grad[i], value = centred * factor[i] + offset[i];
      const T given = !relu | (value > 0) ? whole : T(0);
      first[i] += given;
      second[i] += given * centred;
    }
  }
}

template <class T, bool relu>
VARIANTS void normalise(const T* x, T* y, const T* mean, const T* factor, const T* offset,
                        int64_t rows, int64_t channels) {
  for (int64_t row = 0; row < rows; ++row, x += channels, y += channels) {
    EACH_LANE
    for (int64_t i = 0; i < channels; ++i) {
      const T value = (x[i] - mean[i]) * factor[i] + offset[i];
      y[i] = relu && value <= 0 ? T(0) : value;  // a NaN stays one
    }
  }
}

template <class T, bool relu>
VARIANTS void give_back(const T* x, const T* grad, T* result, const T* mean, const T* factor,
                        const T* offset, const T* share, const T* slope, int64_t rows,
                        int64_t channels) {
  for (int64_t row = 0; row < rows; ++row, x += channels, grad += channels, result += channels) {
    EACH_LANE
    for (int64_t i = 0; i < channels; ++i) {
      const T centred = x[i] - mean[i];
      const T whole = grad[i], value = centred * factor[i] + offset[i];
      const T given = !relu | (value > 0) ? whole : T(0);
      result[i] = factor[i] * (given - share[i] - centred * slope[i]);
    }
  }
}

// The sums over all rows; work(row, count, block) adds up a block.
template <class T, class Work>
Sums<T> summed(int64_t rows, int64_t channels, int64_t parts, Work work) {
  std::vector<Sums<T>> found(parts, Sums<T>(channels));
  dealt(rows, parts, [&](int64_t first, int64_t last, int64_t part) {
    for (int64_t row = first; row < last; row += BLOCK) {
      found[part].open();
      work(row, std::min(BLOCK, last - row), found[part].block.data());
      found[part].close();
    }
  });
  for (int64_t part = 1; part < parts; ++part) found[0].add(found[part]);
  return found[0];
}

// `statistics` becomes the means, the inverse deviations and the variances, [3, channels].
template <class T, bool relu>
void forward(const T* x, T* y, const T* scale, const T* offset, T* statistics, int64_t rows,
             int64_t channels, double eps, int64_t parts) {
  const std::vector<T> shift(x, x + channels);  // sums of squares of what is near zero are exact
  const Sums<T> sums = summed<T>(rows, channels, parts, [&](int64_t row, int64_t count, T* block) {
    add_values(x + row * channels, shift.data(), count, channels, block, block + channels);
  });
  for (int64_t i = 0; i < channels; ++i) {
    const double mean = sums.first[i] / rows;
    const double variance = std::max(0.0, sums.second[i] / rows - mean * mean);
    statistics[i] = T(shift[i] + mean);
    statistics[channels + i] = T(1 / std::sqrt(variance + eps));
    statistics[2 * channels + i] = T(variance);
  }
  const Affine<T> affine(statistics, scale, offset, channels);
  dealt(rows, parts, [&](int64_t first, int64_t last, int64_t) {
    normalise<T, relu>(x + first * channels, y + first * channels, affine.mean.data(),
                       affine.factor.data(), affine.offset.data(), last - first, channels);
  });
}

// `of_scale` and `of_offset` become the gradients of the weights, each [channels].
template <class T, bool relu>
void backward(const T* x, const T* grad, T* result, const T* scale, const T* offset,
              const T* statistics, T* of_scale, T* of_offset, int64_t rows, int64_t channels,
              int64_t parts) {
  const Affine<T> affine(statistics, scale, offset, channels);
  const T *mean = affine.mean.data(), *factor = affine.factor.data(), *moved = affine.offset.data();
  const Sums<T> sums = summed<T>(rows, channels, parts, [&](int64_t row, int64_t count, T* block) {
    add_gradients<T, relu>(x + row * channels, grad + row * channels, mean, factor, moved, count,
                           channels, block, block + channels);
  });
  std::vector<T> share(channels), slope(channels);
  for (int64_t i = 0; i < channels; ++i) {
    const double inverse = statistics[channels + i];
    of_offset[i] = T(sums.first[i]);
    of_scale[i] = T(sums.second[i] * inverse);
    share[i] = T(sums.first[i] / rows);
    slope[i] = T(sums.second[i] * inverse * inverse / rows);
  }
  dealt(rows, parts, [&](int64_t first, int64_t last, int64_t) {
    const int64_t start = first * channels;
    give_back<T, relu>(x + start, grad + start, result + start, mean, factor, moved, share.data(),
                       slope.data(), last - first, channels);
  });
}

}  // namespace

#define NORM(T, suffix)                                                                           \
  EXPORTED void norm_forward_##suffix(const T* x, T* y, const T* scale, const T* offset,          \
                                      T* statistics, int64_t rows, int64_t channels, double eps,  \
                                      int64_t relu, int64_t parts) {                              \
    (relu ? forward<T, true> : forward<T, false>)(x, y, scale, offset, statistics, rows,          \
                                                  channels, eps, parts);                          \
  }                                                                                               \
  EXPORTED void norm_backward_##suffix(const T* x, const T* grad, T* result, const T* scale,      \
                                       const T* offset, const T* statistics, T* of_scale,         \
                                       T* of_offset, int64_t rows, int64_t channels,              \
                                       int64_t relu, int64_t parts) {                             \
    (relu ? backward<T, true> : backward<T, false>)(x, grad, result, scale, offset, statistics,   \
                                                    of_scale, of_offset, rows, channels, parts);  \
  }

NORM(float, float32)
NORM(double, float64)
