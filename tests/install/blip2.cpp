// A program that uses the parts which need other libraries: it decodes the picture it is given, reads JSON, and asks about a
// character.
#include <cstdio>
#include <tessera/core/json.hpp>
#include <tessera/image/decode.hpp>
#include <tessera/text/unicode.hpp>

int main(int count, char** arguments) {
    if (count != 2) return 2;
    const tessera::Image picture = tessera::read_image(arguments[1]);
    const tessera::JsonFile json("{\"a\": 1}", "here", tessera::Errc::file_format);
    const bool letter = tessera::is_letter(U'ß');
    std::printf("blip2: %td × %td pixels, %s, letter %d\n", picture.width(), picture.height(),
                json.root().shown().c_str(), letter);
    return picture.width() > 0 && letter ? 0 : 1;
}
