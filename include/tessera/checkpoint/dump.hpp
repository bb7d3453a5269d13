// A recorder that keeps every intermediate value that has a name, and writes them as a safetensors file.
#pragma once
#include <map>
#include <tessera/checkpoint/save.hpp>
#include <tessera/core/record.hpp>

namespace tessera::inline TESSERA_ISA {

/// Keeps named values: `vision.layer_3`, `qformer.embeddings`, … A name that comes again replaces what it had.
/// cost    a copy of each value
class Dump : public Recorder {
  public:
    struct Value {
        Index rows = 0, width = 0;
        std::vector<float> values;
    };
    using Recorder::on;
    void on(const Named& named) override {
        values_[named.path()] = {named.rows, named.width, {named.values, named.values + named.rows * named.width}};
    }

    const std::map<std::string, Value>& values() const { return values_; }
    /// errors  Errc::checkpoint_missing
    const Value& at(const std::string& name) const {
        const auto found = values_.find(name);
        if (found == values_.end()) throw Error(Errc::checkpoint_missing, '\'', name, "': no value of that name");
        return found->second;
    }
    /// errors  Errc::file_open
    void write(const std::filesystem::path& path) const {
        SafetensorsWriter writer;
        for (const auto& [name, value] : values_) writer.add(name, {value.rows, value.width}, value.values.data());
        writer.write(path);
    }

  private:
    std::map<std::string, Value> values_;
};

}  // namespace tessera::inline TESSERA_ISA
