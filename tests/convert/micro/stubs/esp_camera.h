// Declarations of esp32-camera, as far as the example uses them.
#pragma once

#include <cstddef>
#include <cstdint>

#define ESP_OK 0

enum { LEDC_TIMER_0, LEDC_CHANNEL_0, PIXFORMAT_GRAYSCALE, FRAMESIZE_QQVGA, CAMERA_FB_IN_DRAM, CAMERA_GRAB_LATEST };

struct camera_config_t {
    int pin_pwdn, pin_reset, pin_xclk, pin_sccb_sda, pin_sccb_scl;
    int pin_d7, pin_d6, pin_d5, pin_d4, pin_d3, pin_d2, pin_d1, pin_d0, pin_vsync, pin_href, pin_pclk;
    int xclk_freq_hz, ledc_timer, ledc_channel, pixel_format, frame_size, fb_location, fb_count, grab_mode;
};

struct camera_fb_t {
    uint8_t *buf;
    size_t len, width, height;
};

int esp_camera_init(const camera_config_t *config);
camera_fb_t *esp_camera_fb_get();
void esp_camera_fb_return(camera_fb_t *frame);
