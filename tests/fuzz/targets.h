// The fuzz targets. To add one: a file NAME.cpp with `int NAME_one(const uint8_t*, size_t)`, its
// two lines here, the name in CMakeLists.txt, and a folder corpus/NAME with a few inputs.
#pragma once

#include "tests/fuzz/target.h"

int request_head_one(const uint8_t* data, size_t size);
int response_head_one(const uint8_t* data, size_t size);
int body_reader_one(const uint8_t* data, size_t size);
int connection_list_one(const uint8_t* data, size_t size);
int proxy_protocol_one(const uint8_t* data, size_t size);
int affinity_cookie_one(const uint8_t* data, size_t size);
int path_match_one(const uint8_t* data, size_t size);
int websocket_frames_one(const uint8_t* data, size_t size);
int admin_line_one(const uint8_t* data, size_t size);
int yaml_config_one(const uint8_t* data, size_t size);
int exchange_one(const uint8_t* data, size_t size);
int env_text_one(const uint8_t* data, size_t size);
int rpc_outcome_one(const uint8_t* data, size_t size);

inline constexpr const char* kCorpora = "tests/fuzz/corpus";

inline constexpr FuzzTarget kFuzzTargets[] = {
    {kCorpora, "request_head", request_head_one, 60},
    {kCorpora, "response_head", response_head_one, 60},
    {kCorpora, "body_reader", body_reader_one, 60},
    {kCorpora, "connection_list", connection_list_one, 60},
    {kCorpora, "proxy_protocol", proxy_protocol_one, 60},
    {kCorpora, "affinity_cookie", affinity_cookie_one, 60},
    {kCorpora, "path_match", path_match_one, 60},
    {kCorpora, "websocket_frames", websocket_frames_one, 60},
    {kCorpora, "admin_line", admin_line_one, 60},
    {kCorpora, "yaml_config", yaml_config_one, 60},
    {kCorpora, "exchange", exchange_one, 20},
    {kCorpora, "env_text", env_text_one, 60},
    {kCorpora, "rpc_outcome", rpc_outcome_one, 60},
};
