// Declarations of Arduino, as far as the examples use them.
#pragma once

#include <cstddef>
#include <cstdint>
#include <cstring>

struct SerialPort {
    void begin(unsigned long baud);
    void setTimeout(unsigned long milliseconds);
    int available();
    size_t readBytes(char *buffer, size_t length);
    void print(const char *text);
    void print(int number);
    void println(const char *text);
};
extern SerialPort Serial;

unsigned long millis();
void delay(unsigned long milliseconds);
