import Charts

extension ReportPage {
  /// Colours are light or dark as the reader's system is; every colour has a shape, a pattern or a text beside it.
  static let style = """
    :root {
      color-scheme: light dark;
      \(ChartStyle.properties(ChartStyle.light))
      --panel: #f5f6f8; --wrong: 184, 80, 26; --remark: #fff4dc;
    }
    @media (prefers-color-scheme: dark) {
      :root {
        \(ChartStyle.properties(ChartStyle.dark))
        --panel: #181d25; --wrong: 242, 160, 101; --remark: #332a14;
      }
    }
    * { box-sizing: border-box; }
    html { -webkit-text-size-adjust: 100%; }
    body { margin: 0; background: var(--page); color: var(--ink);
      font: 16px/1.5 system-ui, -apple-system, "Segoe UI", Roboto, "Helvetica Neue", Arial, "DejaVu Sans", sans-serif; }
    main, footer { max-width: 1120px; margin: 0 auto; padding: 0 24px; }
    header { padding: 40px 0 8px; }
    footer { padding: 24px 24px 48px; color: var(--soft); font-size: 13px; }
    .kicker { margin: 0; color: var(--soft); font-size: 13px; letter-spacing: .08em; text-transform: uppercase; }
    h1 { margin: 4px 0 6px; font-size: clamp(24px, 4vw, 34px); line-height: 1.2; letter-spacing: -.015em;
      overflow-wrap: anywhere; }
    h2 { margin: 0 0 16px; font-size: 20px; letter-spacing: -.005em; }
    h3 { margin: 24px 0 8px; font-size: 16px; }
    .lead { margin: 0; color: var(--soft); }
    section { padding: 28px 0; border-top: 1px solid var(--line); }
    #glance { border-top: 0; padding: 20px 0 28px; }
    p { margin: 0 0 12px; max-width: 78ch; }
    .aside, small { color: var(--soft); font-size: 13px; }
    .remark { margin: 14px 0 0; padding: 10px 14px; background: var(--remark); border-left: 3px solid var(--s1);
      border-radius: 4px; max-width: none; }
    .cards { display: grid; grid-template-columns: repeat(auto-fit, minmax(168px, 1fr)); gap: 12px; margin: 0; }
    .card { padding: 14px 16px; background: var(--panel); border-radius: 10px; }
    .card dt { color: var(--soft); font-size: 13px; }
    .card dd { margin: 2px 0 0; }
    .figure { display: block; font-size: 28px; line-height: 1.25; font-weight: 650; letter-spacing: -.02em;
      font-variant-numeric: tabular-nums; }
    .detail { display: block; color: var(--soft); font-size: 13px; line-height: 1.35; }
    .digest { margin: 14px 0 0; max-width: none; font-size: 13px; color: var(--soft); overflow-wrap: anywhere; }
    code, pre { font-family: ui-monospace, SFMono-Regular, Menlo, Consolas, "DejaVu Sans Mono", monospace;
      font-size: .9em; }
    .digest code { color: var(--ink); }
    pre { margin: 0 0 12px; padding: 14px 16px; overflow-x: auto; background: var(--panel); border-radius: 10px; }
    .charts { display: grid; grid-template-columns: repeat(2, minmax(0, 1fr)); gap: 28px 32px; }
    figure { margin: 0; min-width: 0; }
    figcaption { margin-bottom: 4px; font-weight: 600; font-size: 15px; }
    .chart { display: block; width: 100%; height: auto; }
    .chart.narrow { display: none; }
    \(ChartStyle.rules)
    .chart text { font-family: inherit; }
    .key { display: inline-block; width: 10px; height: 10px; margin-right: 8px; border-radius: 2px; }
    .key.s0 { background: var(--s0); } .key.s1 { background: var(--s1); } .key.s2 { background: var(--s2); }
    .key.s3 { background: var(--s3); } .key.s4 { background: var(--s4); } .key.s5 { background: var(--s5); }
    .scroll { overflow-x: auto; margin: 0 0 12px; }
    .scroll:focus-visible, pre:focus-visible, summary:focus-visible { outline: 2px solid var(--s0); outline-offset: 2px; }
    table { border-collapse: collapse; font-size: 14px; font-variant-numeric: tabular-nums; }
    caption { padding: 0 0 8px; text-align: left; color: var(--soft); font-size: 13px; }
    th, td { padding: 6px 12px; text-align: right; border-bottom: 1px solid var(--line); white-space: nowrap; }
    thead th { color: var(--soft); font-weight: 500; font-size: 13px; border-bottom-color: var(--strong); }
    th:first-child, td:first-child { padding-left: 0; text-align: left; font-weight: 500; }
    th:last-child, td:last-child { padding-right: 0; }
    td small, th small { margin-left: 4px; font-weight: 400; }
    table.settings td, table.settings thead th { text-align: left; white-space: normal; overflow-wrap: anywhere; }
    table.settings th small { display: block; margin: 0; white-space: normal; max-width: 58ch; }
    table.settings th:first-child { white-space: normal; vertical-align: top; }
    table.runs, table.bars { width: 100%; }
    table.bars td:nth-child(2), table.bars th:nth-child(2) { width: 45%; min-width: 110px; text-align: left; }
    .bar { display: flex; height: 15px; }
    .bar span { min-width: 1px; }
    .swatch { display: inline-block; width: 15px; height: 15px; margin-right: 7px; vertical-align: -2px; }
    .computing, .forward { background: var(--s0); }
    .waiting, .backward { background: repeating-linear-gradient(135deg, var(--s1) 0 4px, transparent 4px 7px), var(--panel); }
    .updating { background: repeating-linear-gradient(90deg, var(--s5) 0 2px, transparent 2px 4px), var(--panel); }
    .legend { display: flex; flex-wrap: wrap; gap: 6px 22px; margin: 0 0 14px; padding: 0; list-style: none; font-size: 14px; }
    .matrix th, .matrix td { padding: 0; width: 46px; height: 34px; text-align: center; border: 1px solid var(--page); }
    .matrix thead th { border-bottom-color: var(--page); }
    .matrix td { background: var(--panel); }
    .matrix .right { font-weight: 600; box-shadow: inset 0 0 0 1px var(--strong); }
    .matrix .none { color: var(--strong); }
    .matrix .wrong { background: rgba(var(--wrong), var(--shade)); font-weight: 600; }
    .matrix .share { width: 66px; background: none; color: var(--soft); text-align: right; }
    .matrix th:last-child { width: 66px; text-align: right; }
    .unseen { position: absolute; clip-path: inset(50%); width: 1px; height: 1px; overflow: hidden; }
    .wrongs { display: grid; grid-template-columns: repeat(auto-fill, minmax(76px, 1fr)); gap: 14px 10px; margin: 0;
      padding: 0; list-style: none; }
    .wrongs li { font-size: 14px; text-align: center; }
    .wrongs img { display: block; width: 64px; height: 64px; margin: 0 auto 4px; border-radius: 6px;
      image-rendering: pixelated; background: #000; border: 1px solid var(--line); }
    .wrongs small { display: block; line-height: 1.2; }
    details { margin: 10px 0 0; }
    summary { padding: 4px 0; cursor: pointer; color: var(--s0); font-weight: 500; }
    details[open] > summary { margin-bottom: 10px; }
    @media (max-width: 720px) {
      main, footer { padding-left: 16px; padding-right: 16px; }
      header { padding-top: 24px; }
      .charts { grid-template-columns: minmax(0, 1fr); }
      .chart.wide { display: none; }
      .chart.narrow { display: block; }
      .cards { grid-template-columns: repeat(2, minmax(0, 1fr)); gap: 8px; }
      .card { padding: 10px 12px; }
      .figure { font-size: 22px; }
      th, td { padding-left: 7px; padding-right: 7px; font-size: 13px; }
      .matrix { width: 100%; table-layout: fixed; font-size: 12px; }
      .matrix th, .matrix td { width: auto; height: 28px; padding: 0; font-size: 11px; }
      .matrix th:first-child { width: 16px; }
      .matrix th:last-child, .matrix .share { width: 46px; }
      table.bars td:nth-child(n+3):not(:last-child), table.bars th:nth-child(n+3):not(:last-child) { display: none; }
      .wrongs { grid-template-columns: repeat(auto-fill, minmax(64px, 1fr)); gap: 12px 6px; }
      .wrongs img { width: 58px; height: 58px; }
      table.bars th:first-child { white-space: normal; }
      table.bars th small { display: block; margin: 0; }
    }
    @media print {
      body { font-size: 11pt; }
      section { break-inside: avoid; }
      .card, pre, .bar span, .matrix td { print-color-adjust: exact; -webkit-print-color-adjust: exact; }
    }
    """
}
