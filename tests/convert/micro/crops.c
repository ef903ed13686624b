/* Normalizes and classifies random crops: for AddressSanitizer and UndefinedBehaviorSanitizer. Each crop has memory of
 * its own, so that a byte beyond it is seen. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "digits.h"

static uint32_t state = 1;

static uint32_t drawn(uint32_t below) {
    state = state * 1664525u + 1013904223u;
    return (state >> 8) % below;
}

static void fill(uint8_t *pixels, int count) {
    uint32_t kind = drawn(4), rarity = 1 + drawn(200), value = drawn(256);
    for (int i = 0; i < count; i++) {
        uint32_t noise = drawn(256);
        pixels[i] = (uint8_t)(kind == 0 ? noise : kind == 1 ? value : noise % rarity == 0 ? value : 0);
    }
}

int main(int argc, char **argv) {
    uint8_t pixels[DIGITS_PIXELS];
    int8_t scores[DIGITS_CLASSES];
    int failed = digits_init(), count = argc > 1 ? atoi(argv[1]) : 1;
    for (int i = 0; i < count; i++) {
        uint32_t most = i % 50 == 0 ? 400 : 90;
        int width = 1 + (int)drawn(most), height = 1 + (int)drawn(most), bytes = (width + 7) / 8 * height;
        uint8_t *crop = malloc((size_t)(width * height)), *bits = malloc((size_t)bytes);
        fill(crop, width * height);
        fill(bits, bytes);
        failed |= i % 3 == 0   ? digits_normalize_ink(crop, width, height, pixels)
                  : i % 3 == 1 ? digits_normalize_gray(crop, width, height, pixels)
                               : digits_normalize_bitmap(bits, width, height, crop, pixels);
        int label = digits_classify(pixels, scores), sure = digits_confidence(scores, label);
        failed |= label < 0 || label >= DIGITS_CLASSES || sure < 1 || sure > 100;
        free(crop);
        free(bits);
    }
    printf("%d crops, %s\n", count, failed ? "some failed" : "none failed");
    return failed != 0;
}
