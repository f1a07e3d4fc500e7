// Pools of images whose channels lie side by side: [images, height, width, channels].
//
// A window holds positions within the image only. A thread has images of its own, and takes rows of
// windows as a whole, one place in the window after the other. Results are torch's, bit by bit.

#include <algorithm>
#include <vector>

#include "kernel.hpp"

namespace {

constexpr int32_t NONE = 255;  // the place of a window of which nothing has been read

struct Windows {
  int64_t height, width, channels, kernel, stride, padding;

  int64_t across(int64_t size) const { return (size + 2 * padding - kernel) / stride + 1; }
  int64_t rows() const { return across(height); }
  int64_t columns() const { return across(width); }
  int64_t inside() const { return height * width * channels; }
  int64_t row() const { return columns() * channels; }
  int64_t outside() const { return rows() * row(); }
};

// The windows along an axis whose place `offset` lies in the image, and the position of the first.
struct Run {
  int64_t first, count, position;

  Run(const Windows& w, int64_t offset, int64_t size) {
    const int64_t before = w.padding - offset, last = size - 1 + before;
    first = before > 0 ? (before + w.stride - 1) / w.stride : 0;
    const int64_t past = last < 0 ? 0 : std::min(w.across(size), last / w.stride + 1);
    count = std::max<int64_t>(0, past - first);
    position = first * w.stride - before;
  }
};

// How many positions of an axis each of its windows holds.
std::vector<int64_t> held(const Windows& w, int64_t size) {
  std::vector<int64_t> found(w.across(size));
  for (int64_t offset = 0; offset < w.kernel; ++offset) {
    const Run run(w, offset, size);
    for (int64_t i = 0; i < run.count; ++i) ++found[run.first + i];
  }
  return found;
}

// A row of windows at one place in them: `count` stretches of `width` numbers, which lie side by
// side in the row and `step` apart in the image.
struct Stretch {
  int64_t inside, outside, step, count, width;
};

// Calls work(stretch, place) for each place in a row of windows.
template <class Work>
void each_place(const Windows& w, int64_t row, Work work) {
  for (int64_t place = 0; place < w.kernel * w.kernel; ++place) {
    const int64_t line = row * w.stride - w.padding + place / w.kernel;
    const Run run(w, place % w.kernel, w.width);
    if (line < 0 || line >= w.height || !run.count) continue;
    const int64_t inside = (line * w.width + run.position) * w.channels;
    const int64_t outside = run.first * w.channels, whole = run.count * w.channels;
    work(w.stride == 1 ? Stretch{inside, outside, whole, 1, whole}
                       : Stretch{inside, outside, w.stride * w.channels, run.count, w.channels},
         place);
  }
}

template <class T>
VARIANTS void read_sum(const T* x, T* y, const Stretch& s) {
  x += s.inside, y += s.outside;
  for (int64_t n = 0; n < s.count; ++n, x += s.step, y += s.width) {
    EACH_LANE
    for (int64_t i = 0; i < s.width; ++i) y[i] += x[i];
  }
}

template <class T>
VARIANTS void give_sum(const T* grad, T* result, const Stretch& s) {
  grad += s.outside, result += s.inside;
  for (int64_t n = 0; n < s.count; ++n, grad += s.width, result += s.step) {
    EACH_LANE
    for (int64_t i = 0; i < s.width; ++i) result[i] += grad[i];
  }
}

template <class T>
VARIANTS void read_greatest(const T* x, T* y, int32_t* places, int32_t place, const Stretch& s) {
  x += s.inside, y += s.outside, places += s.outside;
  for (int64_t n = 0; n < s.count; ++n, x += s.step, y += s.width, places += s.width) {
    EACH_LANE
    for (int64_t i = 0; i < s.width; ++i) {
      const bool greater = (x[i] > y[i]) | (x[i] != x[i]) | (places[i] == NONE);
      y[i] = greater ? x[i] : y[i];
      places[i] = greater ? place : places[i];
    }
  }
}

template <class T>
VARIANTS void give_greatest(const T* grad, T* result, const uint8_t* places, uint8_t place,
                            const Stretch& s) {
  grad += s.outside, result += s.inside, places += s.outside;
  for (int64_t n = 0; n < s.count; ++n, grad += s.width, result += s.step, places += s.width) {
    EACH_LANE
    for (int64_t i = 0; i < s.width; ++i) result[i] += places[i] == place ? grad[i] : T(0);
  }
}

template <class T>
VARIANTS void divide(const T* x, T* y, T divisor, int64_t channels) {
  EACH_LANE
  for (int64_t i = 0; i < channels; ++i) y[i] = x[i] / divisor;
}

// Divides what stands for each window of a row by how many positions the window holds.
template <class T>
void average(const T* x, T* y, const Windows& w, int64_t tall, const std::vector<int64_t>& wide) {
  for (const int64_t width : wide) {
    divide(x, y, T(tall * width), w.channels);
    x += w.channels, y += w.channels;
  }
}

// Calls work(image, row) for each row of windows, the images dealt out over threads.
template <class Work>
void each_row(int64_t images, const Windows& w, int64_t parts, Work work) {
  dealt(images, parts, [&](int64_t first, int64_t last, int64_t) {
    for (int64_t image = first; image < last; ++image)
      for (int64_t row = 0; row < w.rows(); ++row) work(image, row);
  });
}

template <class T>
void mean_forward(const T* x, T* y, int64_t images, const Windows& w, int64_t parts) {
  const auto tall = held(w, w.height), wide = held(w, w.width);
  each_row(images, w, parts, [&](int64_t image, int64_t row) {
    T* own = y + image * w.outside() + row * w.row();
    std::fill_n(own, w.row(), T(0));
    each_place(w, row, [&](const Stretch& s, int64_t) { read_sum(x + image * w.inside(), own, s); });
    average(own, own, w, tall[row], wide);
  });
}

template <class T>
void mean_backward(const T* grad, T* result, int64_t images, const Windows& w, int64_t parts) {
  const auto tall = held(w, w.height), wide = held(w, w.width);
  std::fill_n(result, images * w.inside(), T(0));
  each_row(images, w, parts, [&](int64_t image, int64_t row) {
    std::vector<T> shares(w.row());
    average(grad + image * w.outside() + row * w.row(), shares.data(), w, tall[row], wide);
    each_place(w, row, [&](const Stretch& s, int64_t) {
      give_sum(shares.data(), result + image * w.inside(), s);
    });
  });
}

// `places` says of each window which of its places is the greatest, the first of several.
template <class T>
void max_forward(const T* x, T* y, uint8_t* places, int64_t images, const Windows& w,
                 int64_t parts) {
  each_row(images, w, parts, [&](int64_t image, int64_t row) {
    const int64_t start = image * w.outside() + row * w.row();
    std::vector<int32_t> found(w.row(), NONE);
    each_place(w, row, [&](const Stretch& s, int64_t place) {
      read_greatest(x + image * w.inside(), y + start, found.data(), int32_t(place), s);
    });
    std::copy(found.begin(), found.end(), places + start);
  });
}

template <class T>
void max_backward(const T* grad, T* result, const uint8_t* places, int64_t images,
                  const Windows& w, int64_t parts) {
  std::fill_n(result, images * w.inside(), T(0));
  each_row(images, w, parts, [&](int64_t image, int64_t row) {
    const int64_t start = image * w.outside() + row * w.row();
    each_place(w, row, [&](const Stretch& s, int64_t place) {
      give_greatest(grad + start, result + image * w.inside(), places + start, uint8_t(place), s);
    });
  });
}

}  // namespace

#define POOLS(T, suffix)                                                                          \
  EXPORTED void mean_forward_##suffix(const T* x, T* y, int64_t images, const Windows* windows,   \
                                      int64_t parts) {                                            \
    mean_forward(x, y, images, *windows, parts);                                                  \
  }                                                                                               \
  EXPORTED void mean_backward_##suffix(const T* grad, T* result, int64_t images,                  \
                                       const Windows* windows, int64_t parts) {                   \
    mean_backward(grad, result, images, *windows, parts);                                         \
  }                                                                                               \
  EXPORTED void max_forward_##suffix(const T* x, T* y, uint8_t* places, int64_t images,           \
                                     const Windows* windows, int64_t parts) {                     \
    max_forward(x, y, places, images, *windows, parts);                                           \
  }                                                                                               \
  EXPORTED void max_backward_##suffix(const T* grad, T* result, const uint8_t* places,            \
                                      int64_t images, const Windows* windows, int64_t parts) {    \
    max_backward(grad, result, places, images, *windows, parts);                                  \
  }

POOLS(float, float32)
POOLS(double, float64)
