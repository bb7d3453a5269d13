// The model for retrieval as a user loads it, with the reference's pictures and texts.
#pragma once
#include <tessera/generate/load.hpp>
#include <tessera/model/blip2/retrieval.hpp>

#include "support/as_processors.hpp"
#include "support/read_json.hpp"
#include "support/retrieval_goldens.hpp"

namespace tessera::test {

struct MatchingGolden : RetrievalGolden {
    Pipeline<Blip2ItmTiny> blip2 = load<Blip2ItmTiny>(path.string());
    std::vector<Image> images;
    std::vector<std::string> texts;

    MatchingGolden() : RetrievalGolden("blip2_itr") {
        const Json expected = read_json(path / "expected.json");
        for (const auto& name : expected["images"])
            images.push_back(read_image(golden("images/" + name.get<std::string>()), as_processors));
        for (const auto& text : expected["texts"]) texts.push_back(text);
    }
};

}  // namespace tessera::test
