/// What the processor calls itself; nil where the system does not tell.
public func processorName() -> String? {
  guard let text = readFile("/proc/cpuinfo") else { return nil }
  for line in text.split(separator: "\n") where line.hasPrefix("model name") {
    return line.split(separator: ":", maxSplits: 1).last.map { String($0.drop { $0 == " " }) }
  }
  return nil
}
