import Digests

#if _endian(big)
  #error("Weights are stored and digested as they lie in memory, which has to be little-endian.")
#endif

/// SHA-256 over all parameters of a network: W1, b1, W2, b2, … in numeric order, in the book's shapes, row-major,
/// little-endian float32, and nothing else. The same weights have the same digest whatever computed or stored them; in
/// Python it is `hashlib.sha256(b"".join(w.astype("<f4").tobytes() for w in weights))`.
public enum WeightsDigest {
  /// - Parameter tensors: in any order.
  public static func of(_ tensors: [Tensor]) -> Digest {
    var hash = SHA256()
    for tensor in tensors.sorted(by: Tensor.inNumericOrder) {
      tensor.values.withUnsafeBytes { hash.update($0) }
    }
    return hash.finalize()
  }

  /// - Parameter parameters: all of them, one behind the other in numeric order, without gaps.
  public static func of(_ parameters: UnsafeBufferPointer<Float>) -> Digest {
    SHA256.of(UnsafeRawBufferPointer(parameters))
  }
}
