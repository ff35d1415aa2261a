#if canImport(Glibc)
  import Glibc
#elseif canImport(Musl)
  import Musl
#else
  import Darwin
#endif

/// Memory for buffers that live as long as a network or a workspace: zero at first, aligned to cache lines, taken in
/// large pieces on huge pages where the system has them (1 to 5 % of a step). Pieces are never given back before the
/// arena, so one arena serves all that lives equally long.
public final class Arena {
  private static let pieceSize = 4 << 20
  private static let pageSize = 2 << 20

  private var pieces: [UnsafeMutableRawPointer] = []
  private var next: UnsafeMutableRawPointer?
  private var left = 0

  public init() {}

  /// `count` floats, each 0.
  public func allocate(_ count: Int) -> UnsafeMutablePointer<Float> {
    // Three cache lines between buffers, so that equal sizes do not compete for the same sets.
    let size = (count * 4 + 63) / 64 * 64 + 192
    if size > left { takePiece(atLeast: size) }
    defer {
      next = next.map { $0 + size }
      left -= size
    }
    return next.unsafelyUnwrapped.assumingMemoryBound(to: Float.self)
  }

  private func takePiece(atLeast size: Int) {
    let bytes = (max(size, Self.pieceSize) + Self.pageSize - 1) / Self.pageSize * Self.pageSize
    let piece = UnsafeMutableRawPointer.allocate(byteCount: bytes, alignment: Self.pageSize)
    #if os(Linux)
      _ = madvise(piece, bytes, MADV_HUGEPAGE)
    #endif
    piece.initializeMemory(as: UInt8.self, repeating: 0, count: bytes)
    pieces.append(piece)
    next = piece
    left = bytes
  }

  deinit {
    for piece in pieces { piece.deallocate() }
  }
}
