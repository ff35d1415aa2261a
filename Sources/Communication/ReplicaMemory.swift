/// Memory that replicas share, a region for each.
///
/// Unchecked: who writes where when, the replicas agree by the marks of `SharedRegions`.
final class ReplicaMemory: @unchecked Sendable {
  let byteCount: Int
  let regions: [UnsafeMutableRawPointer]

  init(count: Int, byteCount: Int) {
    self.byteCount = byteCount
    regions = (0..<count).map { _ in
      let region = UnsafeMutableRawPointer.allocate(byteCount: byteCount, alignment: 64)
      region.initializeMemory(as: UInt8.self, repeating: 0, count: byteCount)
      return region
    }
  }

  deinit {
    for region in regions { region.deallocate() }
  }
}
