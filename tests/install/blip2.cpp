// A program that uses the parts which need other libraries.
#include <utf8proc.h>

#include <cstdio>
#include <tessera/core/json.hpp>

int main() {
    const auto json = tessera::parse_json("{\"a\": 1}", "here", tessera::Errc::file_format);
    std::printf("%s, utf8proc %s\n", json.dump().c_str(), utf8proc_version());
    return 0;
}
