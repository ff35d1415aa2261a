import Checkpoints

/// Writes tensors as a Python pickle (protocol 3) of a dict of NumPy arrays of float32: what `pickle.load` gives the
/// book's `load_params`. NumPy 1 and 2 both know the names in it.
enum PickleWriter {
  static func bytes(of tensors: [Tensor]) -> [UInt8] {
    var bytes: [UInt8] = [0x80, 3, UInt8(ascii: "}"), UInt8(ascii: "(")]
    for tensor in tensors {
      bytes += text(tensor.name)
      bytes += "cnumpy.core.multiarray\n_reconstruct\ncnumpy\nndarray\n".utf8
      // _reconstruct(ndarray, (0,), b"b"), then its state: (1, shape, dtype, False, data).
      bytes += [UInt8(ascii: "K"), 0, 0x85, UInt8(ascii: "C"), 1, UInt8(ascii: "b"), 0x87, UInt8(ascii: "R")]
      bytes += [UInt8(ascii: "("), UInt8(ascii: "K"), 1, UInt8(ascii: "(")]
      for size in tensor.shape { bytes += integer(size) }
      bytes += [UInt8(ascii: "t")]
      // dtype("f4", False, True), then its state: (3, "<", None, None, None, -1, -1, 0).
      bytes += Array("cnumpy\ndtype\n".utf8) + text("f4") + [0x89, 0x88, 0x87, UInt8(ascii: "R")]
      bytes += [UInt8(ascii: "("), UInt8(ascii: "K"), 3] + text("<") + Array("NNN".utf8)
      bytes += integer(-1) + integer(-1) + [UInt8(ascii: "K"), 0, UInt8(ascii: "t"), UInt8(ascii: "b")]
      bytes += [0x89, UInt8(ascii: "B")] + littleEndian(UInt32(tensor.values.count * 4))
      tensor.values.withUnsafeBytes { bytes += $0 }
      bytes += "tb".utf8
    }
    return bytes + Array("u.".utf8)
  }

  private static func text(_ text: String) -> [UInt8] {
    [UInt8(ascii: "X")] + littleEndian(UInt32(text.utf8.count)) + Array(text.utf8)
  }

  /// - Parameter value: fits 32 bits.
  private static func integer(_ value: Int) -> [UInt8] {
    [UInt8(ascii: "J")] + littleEndian(UInt32(bitPattern: Int32(value)))
  }
}

func littleEndian<Value: FixedWidthInteger>(_ value: Value) -> [UInt8] {
  withUnsafeBytes(of: value.littleEndian, Array.init)
}
