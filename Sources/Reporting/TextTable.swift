/// A table of text whose columns are aligned, two blanks apart.
public struct TextTable: Sendable {
  public enum Alignment: Sendable { case left, right }

  private let alignments: [Alignment]
  private var rows: [[String]] = []

  /// - Parameter alignments: one a column.
  public init(_ alignments: [Alignment]) { self.alignments = alignments }

  /// Adds a row of at most as many cells as there are columns.
  public mutating func add(_ cells: [String]) { rows.append(Array(cells.prefix(alignments.count))) }

  /// One a row, without blanks at their ends.
  public var lines: [String] {
    let widths = alignments.indices.map { column in
      rows.lazy.map { column < $0.count ? $0[column].count : 0 }.max() ?? 0
    }
    return rows.map { row in
      var line = ""
      for (column, cell) in row.enumerated() {
        if column > 0 { line += "  " }
        let padding = String(repeating: " ", count: widths[column] - cell.count)
        line += alignments[column] == .left ? cell + padding : padding + cell
      }
      while line.hasSuffix(" ") { line.removeLast() }
      return line
    }
  }
}
