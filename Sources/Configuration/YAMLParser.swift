import CYAML

/// Why a text is not YAML, or not the part of YAML that settings are written in.
struct YAMLProblem: Error {
  let reason: String
  let remedy: String
  /// Both counted from 1.
  let line: Int
  let column: Int
}

/// Reads one YAML document with libyaml, event by event.
///
/// Anchors, aliases and tags are refused, so that a small file cannot stand for a large tree, and a key may stand in a
/// map once only.
struct YAMLParser {
  /// Settings nest three deep.
  static let maximumDepth = 16

  /// How many characters (Unicode scalars) of the text the document takes, without comments and blanks that follow.
  private(set) var documentEnd = 0
  private let parser: UnsafeMutablePointer<yaml_parser_t>
  private let text: [UInt8]

  /// The root of the document, nil where there is none, and where it ends.
  ///
  /// - Parameter text: UTF-8, or UTF-16 with a byte order mark.
  static func parse(_ text: [UInt8]) throws(YAMLProblem) -> (root: YAMLNode?, documentEnd: Int) {
    guard !text.isEmpty else { return (nil, 0) }
    // libyaml keeps the address of the parser in the parser.
    let pointer = UnsafeMutablePointer<yaml_parser_t>.allocate(capacity: 1)
    defer { pointer.deallocate() }
    guard yaml_parser_initialize(pointer) == 1 else {
      throw YAMLProblem(reason: "no memory is left to read it", remedy: "free some memory", line: 1, column: 1)
    }
    defer { yaml_parser_delete(pointer) }
    return try text.withUnsafeBufferPointer { (buffer) throws(YAMLProblem) in
      yaml_parser_set_input_string(pointer, buffer.baseAddress, buffer.count)
      var parser = YAMLParser(parser: pointer, text: text)
      let root = try parser.stream()
      return (root, parser.documentEnd)
    }
  }

  private init(parser: UnsafeMutablePointer<yaml_parser_t>, text: [UInt8]) {
    self.parser = parser
    self.text = text
  }

  private mutating func stream() throws(YAMLProblem) -> YAMLNode? {
    var root: YAMLNode?
    while true {
      let event = try next()
      switch event.kind {
      case .documentStart:
        guard root == nil else {
          throw event.problem("a second document begins here", remedy: "keep one document in the file")
        }
        root = try node(from: try next(), depth: 1)
      case .streamEnd: return root
      default: continue
      }
    }
  }

  private mutating func node(from event: Event, depth: Int) throws(YAMLProblem) -> YAMLNode {
    guard depth <= Self.maximumDepth else {
      throw event.problem(
        "lists or maps are nested more than \(Self.maximumDepth) deep", remedy: "settings nest three deep at most")
    }
    if event.hasAnchor {
      throw event.problem("anchors and aliases (& and *) are not allowed", remedy: "write the value out, or quote it")
    }
    if event.hasTag {
      throw event.problem("tags (!) are not allowed", remedy: "take the tag out, or quote the value")
    }
    switch event.kind {
    case .scalar(let text, let isPlain):
      return YAMLNode(content: .scalar(text, isPlain: isPlain), line: event.line)
    case .sequenceStart:
      var elements: [YAMLNode] = []
      while true {
        let inner = try next()
        if inner.kind == .sequenceEnd { return YAMLNode(content: .sequence(elements), line: event.line) }
        elements.append(try node(from: inner, depth: depth + 1))
      }
    case .mappingStart:
      return YAMLNode(content: .mapping(try entries(depth: depth)), line: event.line)
    default:
      throw event.problem("a value is missing", remedy: "give one")
    }
  }

  private mutating func entries(depth: Int) throws(YAMLProblem) -> [YAMLNode.Entry] {
    var entries: [YAMLNode.Entry] = []
    var lines: [String: Int] = [:]
    while true {
      let event = try next()
      if event.kind == .mappingEnd { return entries }
      guard case .scalar(let key, _) = try node(from: event, depth: depth + 1).content else {
        throw event.problem("a list or a map is used as a key", remedy: "keys are plain words")
      }
      if let earlier = lines.updateValue(event.line, forKey: key) {
        throw event.problem(
          "the key \(Quotation.key(key)) is there twice, in line \(earlier) too", remedy: "keep one of them")
      }
      entries.append(
        YAMLNode.Entry(key: key, keyLine: event.line, value: try node(from: try next(), depth: depth + 1)))
    }
  }

  /// The next event, copied out of libyaml's memory, which is freed here.
  private mutating func next() throws(YAMLProblem) -> Event {
    var raw = yaml_event_t()
    guard yaml_parser_parse(parser, &raw) == 1 else { throw problem() }
    defer { yaml_event_delete(&raw) }
    let event = Event(raw)
    if event.isContent { documentEnd = raw.end_mark.index }
    return event
  }

  private func problem() -> YAMLProblem {
    let reason = parser.pointee.problem.map { String(cString: $0) } ?? "no memory is left to read it"
    guard parser.pointee.error == YAML_READER_ERROR else {
      let mark = parser.pointee.problem_mark
      let isTab = character(line: mark.line, column: mark.column) == UInt8(ascii: "\t")
      return YAMLProblem(
        reason: "this is not YAML: " + reason,
        remedy: isTab ? "indent with spaces, not with tabs" : "check indentation, colons and quotes there",
        line: mark.line + 1, column: mark.column + 1)
    }
    // The reader knows the offset only.
    let before = text.prefix(parser.pointee.problem_offset)
    let newline = UInt8(ascii: "\n")
    let lineStart = before.lastIndex(of: newline).map { $0 + 1 } ?? 0
    return YAMLProblem(
      reason: "this is not text: " + reason, remedy: "save the file as UTF-8 text",
      line: before.count { $0 == newline } + 1, column: before.count - lineStart + 1)
  }

  /// The byte at a place counted from 0, where the line is ASCII up to there.
  private func character(line: Int, column: Int) -> UInt8? {
    let lines = text.split(separator: UInt8(ascii: "\n"), maxSplits: line, omittingEmptySubsequences: false)
    guard line < lines.count, column < lines[line].count else { return nil }
    return lines[line][lines[line].startIndex + column]
  }
}

/// What a reader of documents needs of one of libyaml's events.
private struct Event {
  enum Kind: Equatable {
    case scalar(String, isPlain: Bool)
    case documentStart, sequenceStart, sequenceEnd, mappingStart, mappingEnd, streamEnd
    case alias
    /// The stream's start, and a document's end.
    case other
  }

  let kind: Kind
  let hasAnchor: Bool
  let hasTag: Bool
  /// Counted from 1.
  let line: Int
  let column: Int

  init(_ event: yaml_event_t) {
    line = event.start_mark.line + 1
    column = event.start_mark.column + 1
    switch event.type {
    case YAML_SCALAR_EVENT:
      let scalar = event.data.scalar
      let bytes = UnsafeBufferPointer(start: scalar.value, count: scalar.length)
      kind = .scalar(
        String(decoding: bytes, as: UTF8.self), isPlain: scalar.style == YAML_PLAIN_SCALAR_STYLE)
      hasAnchor = scalar.anchor != nil
      hasTag = scalar.tag != nil
    case YAML_SEQUENCE_START_EVENT:
      kind = .sequenceStart
      hasAnchor = event.data.sequence_start.anchor != nil
      hasTag = event.data.sequence_start.tag != nil
    case YAML_MAPPING_START_EVENT:
      kind = .mappingStart
      hasAnchor = event.data.mapping_start.anchor != nil
      hasTag = event.data.mapping_start.tag != nil
    case YAML_ALIAS_EVENT:
      kind = .alias
      hasAnchor = true
      hasTag = false
    default:
      kind =
        switch event.type {
        case YAML_DOCUMENT_START_EVENT: .documentStart
        case YAML_SEQUENCE_END_EVENT: .sequenceEnd
        case YAML_MAPPING_END_EVENT: .mappingEnd
        case YAML_STREAM_END_EVENT: .streamEnd
        default: .other
        }
      hasAnchor = false
      hasTag = false
    }
  }

  /// Whether it stands for characters of the document.
  var isContent: Bool {
    switch kind {
    case .scalar, .sequenceEnd, .mappingEnd: true
    default: false
    }
  }

  func problem(_ reason: String, remedy: String) -> YAMLProblem {
    YAMLProblem(reason: reason, remedy: remedy, line: line, column: column)
  }
}
