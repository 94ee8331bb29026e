/* Each rule as one loop over the elements: all that it has to read and write, once. What the memory
   allows is the limit for everybody. The scalars of a step come ready in `s`, in the order in which
   c.py writes them. */
#include <math.h>
#include <stdint.h>
#include <string.h>

#define STATES const float *restrict g, float *restrict w, float *restrict m, float *restrict v, \
  float *restrict p
#define SCALARS float b1 = s[0], b2 = s[1], eps = s[2], step = s[3], other = s[4], last = s[5]; \
  (void)b1, (void)b2, (void)eps, (void)step, (void)other, (void)last

/* A loop over the elements, and what splits it between threads. */
#define LOOP(name, body) \
  static void name##_part(int64_t n, const float *s, STATES) { \
    SCALARS; \
    for (int64_t i = 0; i < n; i++) body \
  } \
  static void name##_split(int64_t n, int threads, const float *s, STATES) { \
    if (threads == 1 || n < 65536) { name##_part(n, s, g, w, m, v, p); return; } \
    _Pragma("omp parallel for num_threads(threads)") \
    for (int k = 0; k < threads; k++) { \
      int64_t at = n * k / threads, end = n * (k + 1) / threads; \
      name##_part(end - at, s, g + at, w + at, m + at, v ? v + at : v, p ? p + at : p); \
    } \
  }
#define RULE(name) void name(int64_t n, int threads, const float *s, STATES)
#define LOOP_RULE(name, body) \
  LOOP(name, body) \
  RULE(name) { name##_split(n, threads, s, g, w, m, v, p); }

#define MOMENTUM float a = m[i] = b1 * m[i] + (1 - b1) * g[i]
#define SQUARES float b = v[i] = b2 * v[i] + (1 - b2) * g[i] * g[i]

/* step: the learning rate with the bias corrections */
LOOP_RULE(adam, { MOMENTUM; SQUARES; w[i] -= step * a / (sqrtf(b) + eps); })

LOOP_RULE(amsgrad, {
  MOMENTUM; SQUARES;
  b = p[i] = p[i] > b ? p[i] : b;
  w[i] -= step * a / (sqrtf(b) + eps);
})

LOOP_RULE(adabelief, { /* other: 1 - b2^t */
  MOMENTUM;
  float b = v[i] = b2 * v[i] + (1 - b2) * (g[i] - a) * (g[i] - a) + eps;
  w[i] -= step * a / (sqrtf(b / other) + eps);
})

LOOP_RULE(diffgrad, {
  MOMENTUM; SQUARES;
  float xi = 1 / (1 + expf(-fabsf(p[i] - g[i])));
  p[i] = g[i];
  w[i] -= step * xi * a / (sqrtf(b) + eps);
})

LOOP_RULE(lion, {
  float c = b1 * m[i] + (1 - b1) * g[i];
  m[i] = b2 * m[i] + (1 - b2) * g[i];
  w[i] -= step * ((c > 0) - (c < 0));
})

/* step: with the rectification; other: 1 - b2^t; p: the slow weights */
LOOP(ranger_early, { MOMENTUM; SQUARES; (void)b; w[i] -= step * a; })
LOOP(ranger_late, { MOMENTUM; SQUARES; w[i] -= step * a / (sqrtf(b / other) + eps); })
LOOP(ranger_sync, {
  MOMENTUM; SQUARES;
  float fast = w[i] - step * a / (sqrtf(b / other) + eps);
  w[i] = p[i] = p[i] + 0.5f * (fast - p[i]);
})

RULE(ranger) { /* last: whether the step syncs, which none before v is reliable does */
  if (s[5] > 0) ranger_sync_split(n, threads, s, g, w, m, v, p);
  else if (s[4] > 0) ranger_late_split(n, threads, s, g, w, m, v, p);
  else ranger_early_split(n, threads, s, g, w, m, v, p);
}

/* step: 1 - b1^t; other: 1 - b2^t; last: the learning rate, with the ratio of the norms */
LOOP(lamb_end, { w[i] -= last * (m[i] / step / (sqrtf(v[i] / other) + eps)); })

RULE(lamb) { /* on one thread, the first loop */
  SCALARS;
  double of_w = 0, of_r = 0;
  for (int64_t i = 0; i < n; i++) {
    MOMENTUM; SQUARES;
    float r = a / step / (sqrtf(b / other) + eps);
    of_w += w[i] * w[i];
    of_r += r * r;
  }
  float ratio = of_w > 0 && of_r > 0 ? sqrt(of_w / of_r) : 1;
  float scaled[] = {b1, b2, eps, step, other, last * ratio};
  lamb_end_split(n, threads, scaled, g, w, m, v, p);
}

/* Adam on the rows that a gradient mentions. place: -1 for each row of the table; rows, sums: room
   for one row for each index. */
void adam_rows(int64_t n, int64_t width, const int32_t *indices, const float *values,
               const float *s, float *w, float *m, float *v, int32_t *place, int32_t *rows,
               float *sums) {
  int64_t count = 0;
  for (int64_t k = 0; k < n; k++) {
    const float *from = values + k * width;
    int32_t row = indices[k];
    if (place[row] < 0) {
      rows[count] = row;
      memcpy(sums + count * width, from, width * sizeof(float));
      place[row] = count++;
    } else {
      float *to = sums + place[row] * width;
      for (int64_t i = 0; i < width; i++) to[i] += from[i];
    }
  }
  for (int64_t k = 0; k < count; k++) {
    int64_t at = rows[k] * width;
    adam_part(width, s, sums + k * width, w + at, m + at, v + at, 0);
    place[rows[k]] = -1;
  }
}
