/* A program for QEMU's Cortex-M4: the self-test, then the instructions that a digit takes. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "golden.h"

#define SYSTICK ((volatile unsigned *)0xE000E010)
#define NANOSECONDS_A_TICK 40 /* at 25 MHz; with -icount shift=0 an instruction takes 1 ns */
#define LONGEST 0xFFFFFFu     /* ticks: 671 million instructions */

extern void _start(void);

/* The linker script makes it the second vector. */
void start(void);
void start(void) {
    *(volatile unsigned *)0xE000ED88 |= 0xF << 20; /* switch the FPU on */
    _start();
}

static void begin(void) {
    SYSTICK[1] = LONGEST;
    SYSTICK[2] = 0;
    SYSTICK[0] = 5; /* on, from the processor's clock */
}

static unsigned instructions(void) {
    return (LONGEST - SYSTICK[2]) * NANOSECONDS_A_TICK;
}

int main(void) {
    static uint8_t crop[DIGITS_GOLDEN_AREA], pixels[DIGITS_PIXELS];
    int8_t scores[DIGITS_CLASSES];
    unsigned normalizing = 0, classifying = 0;
    int wrong = digits_selftest(), all = DIGITS_GOLDEN + DIGITS_GOLDEN_CROPS;
    printf("%d of %d golden vectors pass\n", all - wrong, all);
    for (int i = 0; i < DIGITS_GOLDEN_CROPS - 1; i++) { /* the last crop has no ink */
        memcpy(crop, digits_golden_crops + i * DIGITS_GOLDEN_AREA, sizeof crop);
        begin();
        digits_normalize_ink(crop, DIGITS_GOLDEN_WIDTH, DIGITS_GOLDEN_HEIGHT, pixels);
        normalizing += instructions() / (DIGITS_GOLDEN_CROPS - 1);
        begin();
        digits_classify(pixels, scores);
        classifying += instructions() / (DIGITS_GOLDEN_CROPS - 1);
    }
    printf("instructions: normalize %u, classify %u\n", normalizing, classifying);
    exit(wrong != 0);
}
