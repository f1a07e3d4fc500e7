// Small programs of pointwise instructions, run over blocks of rows that stay in the cache.
//
// A slot is a matrix of floats at each step of a sequence. What one instruction reads and what it
// writes are the same numbers or have none in common, and it reads before it writes.

#include <algorithm>
#include <cmath>
#include <cstring>
#include <memory>

#include "kernel.hpp"

#define INLINE __attribute__((always_inline)) inline

namespace {

constexpr int OPERANDS = 10;

struct Slot {
  float* base;   // null: scratch of a block, at the offset `step`
  int64_t step;  // numbers from one step to the next
  int64_t row;
};

struct Instruction {
  int32_t code, width;
  float a, b;
  int32_t slots[OPERANDS];
};

enum Code : int32_t {
  COPY, FILL, ADD, SUBTRACT, MULTIPLY, AFFINE, DIVIDE, SIGMOID, TANH, RELU, BLEND,
  SCALE_BACK, DIVIDE_BACK, SIGMOID_BACK, TANH_BACK, RELU_BACK, MULTIPLY_BACK, BLEND_BACK,
};

struct Program {
  const Instruction* code;
  int64_t length;
  const Slot* slots;
  int64_t rows, block, scratch, threads;
};

// Half the power of two next to exp(x), and what is left of x beside it, at most half of ln 2.
INLINE float half_power(float x, float& rest) {
  const float shift = 12582912.0f;  // 1.5 * 2^23: beyond it floats are whole
  float shifted = x * 1.44269504088896341f + shift;
  float n = shifted - shift;
  rest = (x - n * 0.693359375f) + n * 2.12194440e-4f;
  uint32_t bits;
  std::memcpy(&bits, &shifted, sizeof bits);
  bits = (bits << 23) + 0x3f000000u;
  float half;
  std::memcpy(&half, &bits, sizeof half);
  return half;
}

// exp(r) - 1 for r of at most half of ln 2 (the polynomial of Cephes' expf).
INLINE float expm1_near(float r) {
  float p = 1.9875691500e-4f;
  p = p * r + 1.3981999507e-3f;
  p = p * r + 8.3334519073e-3f;
  p = p * r + 4.1665795894e-2f;
  p = p * r + 1.6666665459e-1f;
  p = p * r + 5.0000001201e-1f;
  return p * (r * r) + r;
}

INLINE float sigmoid(float x) {
  float y = -x, rest;
  y = y < -86.0f ? -86.0f : y;
  y = y > 89.0f ? 89.0f : y;  // whose power is infinite
  float half = half_power(y, rest);
  return 1.0f / (1.0f + 2.0f * (half + half * expm1_near(rest)));
}

INLINE float tanh_of(float x) {
  float y = 2.0f * __builtin_fabsf(x), rest;
  y = y > 20.0f ? 20.0f : y;  // from 9.1 on the nearest float is 1
  float two = 2.0f * half_power(y, rest);
  float less = two * expm1_near(rest) + (two - 1.0f);
  return __builtin_copysignf(less / (less + 2.0f), x);
}

// torch's lerp, by whichever end is nearer.
INLINE float blend(float x, float y, float gate) {
  float apart = y - x, low = x + gate * apart, high = y - apart * (1.0f - gate);
  return __builtin_fabsf(gate) < 0.5f ? low : high;
}

template <int N, class F>
INLINE void over(float* const* at, const int64_t* row, int64_t rows, int width, F f) {
  for (int64_t r = 0; r < rows; r++) {
    float* p[N];
    for (int k = 0; k < N; k++) p[k] = at[k] + r * row[k];
    EACH_LANE
    for (int i = 0; i < width; i++) f(p, i);
  }
}

#define OVER(N, BODY)                                                 \
  over<N>(at, row, rows, in.width,                                    \
          [a, b](float* const* p, int i) __attribute__((always_inline)) { \
            (void)a, (void)b;                                         \
            BODY;                                                     \
          });                                                         \
  break;

VARIANTS void run_block(const Program* program, int64_t t, int64_t first, int64_t rows,
                        float* scratch) {
  for (int64_t k = 0; k < program->length; k++) {
    const Instruction& in = program->code[k];
    float* at[OPERANDS];
    int64_t row[OPERANDS];
    for (int j = 0; j < OPERANDS; j++) {
      const Slot& s = program->slots[in.slots[j]];
      at[j] = s.base ? s.base + t * s.step + first * s.row : scratch + s.step;
      row[j] = s.row;
    }
    const float a = in.a, b = in.b;
    switch (in.code) {
    case COPY: OVER(2, p[0][i] = p[1][i])
    case FILL: OVER(1, p[0][i] = a)
    case ADD: OVER(3, p[0][i] = p[1][i] + p[2][i])
    case SUBTRACT: OVER(3, p[0][i] = p[1][i] - p[2][i])
    case MULTIPLY: OVER(3, p[0][i] = p[1][i] * p[2][i])
    case AFFINE: OVER(2, p[0][i] = a * p[1][i] + b)
    case DIVIDE: OVER(2, p[0][i] = p[1][i] / a)
    case SIGMOID: OVER(2, p[0][i] = sigmoid(p[1][i]))
    case TANH: OVER(2, p[0][i] = tanh_of(p[1][i]))
    case RELU: OVER(2, float x = p[1][i]; p[0][i] = x <= 0.0f ? 0.0f : x)
    case BLEND: OVER(4, p[0][i] = blend(p[1][i], p[2][i], p[3][i]))
    // Gradients: each is preceded by what it is added to.
    case SCALE_BACK: OVER(3, p[0][i] = p[1][i] + a * p[2][i])
    case DIVIDE_BACK: OVER(3, p[0][i] = p[1][i] + p[2][i] / a)
    case SIGMOID_BACK:
      OVER(4, float y = p[3][i]; p[0][i] = p[1][i] + p[2][i] * (1.0f - y) * y)
    case TANH_BACK:
      OVER(4, float y = p[3][i]; p[0][i] = p[1][i] + p[2][i] * (1.0f - y * y))
    case RELU_BACK:
      OVER(4, float g = p[2][i]; p[0][i] = p[1][i] + (p[3][i] <= 0.0f ? 0.0f : g))
    case MULTIPLY_BACK:
      OVER(7, float g = p[4][i]; float x = p[5][i]; float y = p[6][i];
        float of_x = p[1][i] + g * y; float of_y = p[3][i] + g * x;
        p[0][i] = of_x; p[2][i] = of_y)
    case BLEND_BACK:
      OVER(10, float g = p[6][i]; float x = p[7][i]; float y = p[8][i]; float gate = p[9][i];
        float part = g * gate; float of_x = p[1][i] + (g - part);
        float of_y = p[3][i] + part; float of_gate = p[5][i] + (y - x) * g;
        p[0][i] = of_x; p[2][i] = of_y; p[4][i] = of_gate)
    }
  }
}

}  // namespace

// One step of a sequence. The rows are dealt out over threads, and each has a scratch of its own.
EXPORTED void pointwise_float32(const Program* program, int64_t t) {
  const int64_t block = program->block, rows = program->rows;
  dealt(rows, program->threads, [=](int64_t first, int64_t last, int64_t) {
    std::unique_ptr<float[]> scratch(new float[program->scratch]);
    for (int64_t at = first; at < last; at += block)
      run_block(program, t, at, std::min(block, last - at), scratch.get());
  });
}
