import CCrypto

/// SHA-256 (FIPS 180-4) of bytes that come piece by piece, computed by libcrypto.
///
/// It cannot be copied, and `finalize` consumes it, so libcrypto's context is freed exactly once and never used after.
public struct SHA256: ~Copyable {
  private let context: OpaquePointer

  /// Keeps libcrypto from reading the machine's `openssl.cnf`: it costs start-up time, and a provider switched off
  /// there would take SHA-256 away.
  private static let isReady = OPENSSL_init_crypto(UInt64(OPENSSL_INIT_NO_LOAD_CONFIG), nil) == 1

  public init() {
    // These fail only where memory is exhausted or libcrypto was built without SHA-256; no input leads here.
    guard Self.isReady, let context = EVP_MD_CTX_new(), EVP_DigestInit_ex(context, EVP_sha256(), nil) == 1 else {
      Self.stop()
    }
    self.context = context
  }

  deinit {
    EVP_MD_CTX_free(context)
  }

  /// Appends bytes to what is hashed. How the whole is cut into pieces does not change the digest.
  public mutating func update(_ bytes: UnsafeRawBufferPointer) {
    guard let start = bytes.baseAddress, !bytes.isEmpty else { return }
    guard EVP_DigestUpdate(context, start, bytes.count) == 1 else { Self.stop() }
  }

  /// The digest of all that was appended.
  public consuming func finalize() -> Digest {
    let bytes = [UInt8](unsafeUninitializedCapacity: Digest.byteCount) { buffer, count in
      guard EVP_DigestFinal_ex(context, buffer.baseAddress, nil) == 1 else { Self.stop() }
      count = Digest.byteCount
    }
    guard let digest = Digest(bytes: bytes) else { Self.stop() }
    return digest
  }

  /// The digest of bytes that are all there.
  public static func of(_ bytes: UnsafeRawBufferPointer) -> Digest {
    var hash = SHA256()
    hash.update(bytes)
    return hash.finalize()
  }

  /// The digest of a text's UTF-8.
  public static func of(_ text: String) -> Digest {
    var text = text
    return text.withUTF8 { of(UnsafeRawBufferPointer($0)) }
  }

  private static func stop() -> Never {
    fatalError("libcrypto refuses SHA-256: memory is exhausted, or its installation lacks the algorithm")
  }
}
