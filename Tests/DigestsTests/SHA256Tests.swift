import Digests
import Testing

private func digest(of bytes: [UInt8], pieces: [Int] = []) -> Digest {
  bytes.withUnsafeBytes { all in
    var hash = SHA256()
    var start = 0
    for piece in pieces {
      let end = min(start + piece, all.count)
      hash.update(UnsafeRawBufferPointer(rebasing: all[start..<end]))
      start = end
    }
    hash.update(UnsafeRawBufferPointer(rebasing: all[start...]))
    return hash.finalize()
  }
}

@Suite struct SHA256Tests {
  /// The examples that NIST publishes for FIPS 180-4: no bytes, one block, two blocks.
  @Test(arguments: [
    ("", "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"),
    ("abc", "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"),
    (
      "abcdbcdecdefdefgefghfghighijhijkijkljklmklmnlmnomnopnopq",
      "248d6a61d20638b8e5c026930c3e6039a33ce45964ff2167f6ecedd419db06c1"
    ),
    (
      "abcdefghbcdefghicdefghijdefghijkefghijklfghijklmghijklmnhijklmnoijklmnopjklmnopqklmnopqrlmnopqrsmnopqrstnopqrstu",
      "cf5b16a778af8380036ce59e7b0492370b249b11e8f07a51afac45037afee9d1"
    ),
  ])
  func knownAnswers(message: String, expected: String) {
    #expect(SHA256.of(message).hexadecimal == expected)
    #expect(digest(of: Array(message.utf8)).hexadecimal == expected)
  }

  @Test func aMillionTimesA() {
    let bytes = [UInt8](repeating: UInt8(ascii: "a"), count: 1_000_000)
    #expect(
      digest(of: bytes).hexadecimal == "cdc76e5c9914fb9281a1c7e284d73e67f1809a48a497200e046d39ccc7112cd0")
  }

  @Test func theCutIntoPiecesDoesNotMatter() {
    let bytes = (0..<1000).map { UInt8(truncatingIfNeeded: $0 &* 31 &+ $0 >> 3) }
    let whole = digest(of: bytes)
    var state: UInt64 = 1
    for _ in 0..<50 {
      let pieces = (0..<20).map { _ in
        state = state &* 6_364_136_223_846_793_005 &+ 1_442_695_040_888_963_407
        return Int(state >> 33) % 131
      }
      #expect(digest(of: bytes, pieces: pieces) == whole, "pieces \(pieces)")
    }
  }

  @Test func oneBitChangesTheDigest() {
    var bytes = [UInt8](repeating: 7, count: 500)
    let before = digest(of: bytes)
    bytes[321] ^= 1
    #expect(digest(of: bytes) != before)
  }
}

@Suite struct DigestTests {
  @Test func hexadecimalGoesBothWays() throws {
    let digest = SHA256.of("abc")
    #expect(Digest(hexadecimal: digest.hexadecimal) == digest)
    #expect(Digest(hexadecimal: digest.hexadecimal.uppercased()) == digest)
    #expect(Digest(bytes: digest.bytes) == digest)
    #expect("\(digest)" == "sha256:" + digest.hexadecimal)
  }

  @Test func whatIsNoDigestIsRefused() {
    let good = SHA256.of("abc").hexadecimal
    #expect(Digest(hexadecimal: "") == nil)
    #expect(Digest(hexadecimal: String(good.dropLast())) == nil)
    #expect(Digest(hexadecimal: good + "0") == nil)
    #expect(Digest(hexadecimal: "g" + good.dropFirst()) == nil)
    #expect(Digest(hexadecimal: "sha256:" + good.dropFirst(7)) == nil)
    #expect(Digest(bytes: []) == nil)
    #expect(Digest(bytes: [UInt8](repeating: 0, count: 33)) == nil)
  }
}
