// Cross-entropies of rows of logits, and the gradients of the logits in their place.

#include <cmath>

#include "exponential.hpp"
#include "kernel.hpp"

namespace {

constexpr int64_t LANES = 32;

// exp(x) for x that is not positive; below the smallest normal number 0.
INLINE float decayed(float x) {
  float rest, half = half_power(x < -87.0f ? -87.0f : x, rest);
  float y = 2.0f * (half + half * expm1_near(rest));
  return x < -87.0f ? 0.0f : y;
}

// Exponentials take the place of logits; gives their sum.
VARIANTS float exponentials(float* y, int64_t width, float& most) {
  float lanes[LANES];
  for (int64_t j = 0; j < LANES; ++j) lanes[j] = y[0];
  const int64_t whole = width - width % LANES;
  for (int64_t i = 0; i < whole; i += LANES) {
    EACH_LANE
    for (int64_t j = 0; j < LANES; ++j) lanes[j] = y[i + j] > lanes[j] ? y[i + j] : lanes[j];
  }
  most = lanes[0];
  for (int64_t j = 1; j < LANES; ++j) most = lanes[j] > most ? lanes[j] : most;
  for (int64_t i = whole; i < width; ++i) most = y[i] > most ? y[i] : most;

  const float shift = most;
  for (int64_t j = 0; j < LANES; ++j) lanes[j] = 0.0f;
  for (int64_t i = 0; i < whole; i += LANES) {
    EACH_LANE
    for (int64_t j = 0; j < LANES; ++j) {
      const float e = decayed(y[i + j] - shift);
      y[i + j] = e;
      lanes[j] += e;
    }
  }
  float sum = 0.0f;
  for (int64_t i = whole; i < width; ++i) sum += y[i] = decayed(y[i] - shift);
  for (int64_t j = 0; j < LANES; ++j) sum += lanes[j];
  return sum;
}

}  // namespace

// The gradient of a row is what is left of it, times its scale; `losses` has one number a row.
EXPORTED void entropy_float32(float* logits, const int64_t* targets, float* losses, float* scales,
                              int64_t rows, int64_t width, int64_t parts) {
  dealt(rows, parts, [=](int64_t first, int64_t last, int64_t) {
    for (int64_t row = first; row < last; ++row) {
      float *y = logits + row * width, most, right = y[targets[row]];
      const float sum = exponentials(y, width, most);
      losses[row] = std::log(sum) + (most - right);
      scales[row] = 1.0f / sum;
      y[targets[row]] -= sum;
    }
  });
}
