// Exponentials that vectorise, right to one or two last bits.
#pragma once

#include <cstdint>
#include <cstring>

#define INLINE __attribute__((always_inline)) inline

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
