// Small programs of pointwise instructions, run over blocks of rows that stay in the cache.
//
// A slot is a matrix of floats at each step of a sequence. What one instruction reads and what it
// writes are the same numbers or have none in common, and it reads before it writes.

#include <algorithm>
#include <cmath>
#include <memory>

#include "exponential.hpp"
#include "kernel.hpp"

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
  SCALE_BACK, SIGMOID_BACK, TANH_BACK, RELU_BACK, MULTIPLY_BACK, BLEND_BACK,
};

struct Program {
  const Instruction* code;
  int64_t length;
  const Slot* slots;
  int64_t rows, block, scratch, threads;
};

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

// Where a block of rows finds its numbers.
struct Block {
  const Slot* slots;
  int64_t t, first, rows;
  float* scratch;
};

template <int N, class F>
INLINE void over(const Instruction& in, const Block& block, F f) {
  float* at[N];
  int64_t row[N];
  for (int k = 0; k < N; ++k) {
    const Slot& s = block.slots[in.slots[k]];
    at[k] = s.base ? s.base + block.t * s.step + block.first * s.row : block.scratch + s.step;
    row[k] = s.row;
  }
  const int width = in.width;
  for (int64_t r = 0; r < block.rows; ++r) {
    float* p[N];
    for (int k = 0; k < N; ++k) p[k] = at[k] + r * row[k];
    EACH_LANE
    for (int i = 0; i < width; ++i) f(p, i);
  }
}

#define OVER(N, BODY)                                                             \
  over<N>(in, block, [a, b](float* const* p, int i) __attribute__((always_inline)) { \
    (void)a, (void)b;                                                             \
    BODY;                                                                         \
  });                                                                             \
  break;

VARIANTS void run_block(const Program* program, const Block& block) {
  for (int64_t k = 0; k < program->length; ++k) {
    const Instruction& in = program->code[k];
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
  const int64_t block = program->block;
  dealt(program->rows, program->threads, [=](int64_t first, int64_t last, int64_t) {
    std::unique_ptr<float[]> scratch(new float[program->scratch]);
    for (int64_t at = first; at < last; at += block) {
      const int64_t rows = std::min(block, last - at);
      run_block(program, {program->slots, t, at, rows, scratch.get()});
    }
  });
}
