// Files of expected values, as a tree that tests can walk and change.
#pragma once
#include <filesystem>
#include <tessera/core/file.hpp>
#include <tessera/core/json.hpp>

namespace tessera::test {

inline Json read_json(const std::filesystem::path& path) { return Json::parse(MappedFile(path).text()); }

}  // namespace tessera::test
