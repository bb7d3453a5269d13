#include <doctest/doctest.h>

#include <chrono>
#include <cstdlib>
#include <optional>
#include <support/temporary_folder.hpp>
#include <tessera/checkpoint/hub.hpp>

namespace checkpoint_hub {
using namespace tessera;
namespace fs = std::filesystem;

namespace {

/// An environment variable with another value for a while.
class Setting {
  public:
    Setting(const char* name, const char* value) : name_(name) {
        if (const char* old = std::getenv(name)) old_ = old;
        value != nullptr ? ::setenv(name, value, 1) : ::unsetenv(name);
    }
    Setting(const Setting&) = delete;
    Setting& operator=(const Setting&) = delete;
    ~Setting() { old_ ? ::setenv(name_, old_->c_str(), 1) : ::unsetenv(name_); }

  private:
    const char* name_;
    std::optional<std::string> old_;
};

}  // namespace

TEST_CASE("the folders of downloaded models come from the environment") {
    const Setting a("HF_HUB_CACHE", "/a"), b("HF_HOME", "/b"), c("XDG_CACHE_HOME", "/c"), d("HOME", "/d");
    CHECK(hub_caches() == std::vector<fs::path>{"/a/", "/b/hub", "/c/huggingface/hub", "/d/.cache/huggingface/hub"});
    const Setting e("HF_HUB_CACHE", nullptr), f("HF_HOME", ""), g("XDG_CACHE_HOME", nullptr);
    CHECK(hub_caches() == std::vector<fs::path>{"/d/.cache/huggingface/hub"});
}

TEST_CASE("a folder is itself; a name on the hub is its snapshot of main, or else the newest") {
    const test::TemporaryFolder cache;
    const std::vector<fs::path> caches{"/nowhere", cache.path()};
    CHECK(resolve_model(cache.path().string(), caches) == cache.path());

    const fs::path model = cache.path() / "models--Salesforce--blip2-opt-2.7b";
    fs::create_directories(model / "snapshots" / "aaaa");
    fs::create_directories(model / "snapshots" / "bbbb");
    fs::create_directories(model / "snapshots" / "cccc");
    const auto now = fs::file_time_type::clock::now();
    fs::last_write_time(model / "snapshots" / "aaaa", now - std::chrono::hours(2));
    fs::last_write_time(model / "snapshots" / "bbbb", now - std::chrono::hours(1));
    fs::last_write_time(model / "snapshots" / "cccc", now - std::chrono::hours(3));
    const auto found = [&] { return resolve_model("Salesforce/blip2-opt-2.7b", caches).filename().string(); };
    CHECK(found() == "bbbb");
    cache.write("models--Salesforce--blip2-opt-2.7b/refs/main", "aaaa\n");
    CHECK(found() == "aaaa");
    cache.write("models--Salesforce--blip2-opt-2.7b/refs/main", "dddd");  // is gone
    CHECK(found() == "bbbb");
    cache.write("models--Salesforce--blip2-opt-2.7b/refs/main", "../../..");
    CHECK(found() == "bbbb");
}

TEST_CASE("a model that is nowhere: the message says where it was looked for") {
    CHECK_THROWS_WITH_AS(resolve_model("some/model", {"/one", "/two"}),
                         "[file.open] 'some/model': no such folder, and no downloaded model: looked for "
                         "'/one/models--some--model', '/two/models--some--model'",
                         Error);
    CHECK_THROWS_WITH_AS(resolve_model("some/model", {}),
                         "[file.open] 'some/model': no such folder, and no downloaded model: looked for none, since "
                         "HOME is not set",
                         Error);
    for (const char* path : {"/no/such/folder", "../elsewhere", "a/b/c", "", "a b", "a/..x", ".hidden/x"})
        CHECK_THROWS_WITH_AS(resolve_model(path, {"/nowhere"}),
                             ("[file.open] '" + std::string(path) + "': no such folder").c_str(), Error);
}

}  // namespace checkpoint_hub
