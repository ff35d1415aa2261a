import Checkpoints
import Digests
import Testing

/// Twelve layers, so that the numeric order is not the alphabetical one.
let twelveLayers: [Tensor] = (1...12).flatMap { layer in
  let weights = (0..<6).map { Float(layer) + Float($0) / 7 }
  return [
    Tensor(name: "W\(layer)", shape: [2, 3], values: weights),
    Tensor(name: "b\(layer)", shape: [2], values: [-Float(layer), 1 / Float(layer)]),
  ]
}

@Suite struct WeightsDigestTests {
  @Test func orderIsNumeric() {
    let names = ["b10", "W2", "b2", "W10", "b1", "W1", "scale", "beta2", "gamma2", "W"]
    let tensors = names.map { Tensor(name: $0, shape: [0], values: []) }
    #expect(
      tensors.sorted(by: Tensor.inNumericOrder).map(\.name)
        == ["W1", "b1", "W2", "b2", "beta2", "gamma2", "W10", "b10", "W", "scale"])
  }

  @Test func digestIsOfTheBytesInNumericOrder() {
    let expected = twelveLayers.flatMap(\.values).withUnsafeBytes { SHA256.of($0) }
    #expect(WeightsDigest.of(twelveLayers) == expected)
    #expect(WeightsDigest.of(twelveLayers.reversed()) == expected)
    #expect(twelveLayers.flatMap(\.values).withUnsafeBufferPointer { WeightsDigest.of($0) } == expected)
  }

  /// `hashlib.sha256(struct.pack("<5f", 1, -2.5, 0.1, 1e-30, -0.0))` in Python.
  @Test func digestIsPythons() {
    let tensors = [
      Tensor(name: "b1", shape: [2], values: [1e-30, -0.0]),
      Tensor(name: "W1", shape: [1, 3], values: [1, -2.5, 0.1]),
    ]
    #expect(WeightsDigest.of(tensors).hexadecimal == "779ed868c508c2acc85fbe668ea4a0fe752a3c566de859fa66f939d2e8cc4f04")
  }

  @Test(.enabled(if: hasPython))
  func pythonReadsTheFileAndFindsTheSameDigest() throws {
    let folder = try TemporaryFolder()
    let path = folder.path + "/weights.safetensors"
    try SafetensorsFile(weights: twelveLayers, step: 600, epoch: 1, configuration: "seed: 0\n# ü \"\\\n").write(
      to: path)
    let program = """
      import hashlib, json, re, struct, sys
      data = open(sys.argv[1], "rb").read()
      length = struct.unpack("<Q", data[:8])[0]
      header = json.loads(data[8:8 + length])
      metadata = header.pop("__metadata__")
      names = sorted(header, key=lambda name: (int(re.search("[0-9]+", name)[0]), name))
      parts = [data[8 + length:][slice(*header[name]["data_offsets"])] for name in names]
      print(hashlib.sha256(b"".join(parts)).hexdigest())
      print(json.dumps([metadata["step"], metadata["epoch"], metadata["configuration"], length % 8, header["W12"]["shape"]]))
      """
    let result = try run("python3", ["-c", program, path])
    #expect(
      result.output == """
        \(WeightsDigest.of(twelveLayers).hexadecimal)
        ["600", "1", "seed: 0\\n# \\u00fc \\"\\\\\\n", 0, [2, 3]]

        """)
  }
}
