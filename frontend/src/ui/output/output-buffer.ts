// All output of one execution as the console keeps it: one bounded log per source (host) and one of everything in
// order of arrival. Chunks are cut into lines here; lines are plain objects that both logs point to.
import { endState, PLAIN, plainText, type Sgr } from './ansi'
import { type Bound, LineLog, OutputLine } from './line-log'

export type StreamName = 'stdout' | 'stderr'

/** A line without a line feed is cut here, so that one endless line cannot stop the page. */
export const LONGEST_LINE = 4_096
const PREVIEW = 200

interface Writer {
  open: OutputLine | null
  /** Colours at the end of the last closed line. */
  sgr: Sgr
}

export interface Limits {
  perSource: Bound
  merged: Bound
}

/** Shares a fixed budget of memory among the sources, with a floor that still shows the end of each. */
export function limitsFor(sources: number): Limits {
  const share = Math.max(1, sources)
  return {
    perSource: { lines: Math.max(500, Math.floor(400_000 / share)), characters: Math.max(128_000, Math.floor(48e6 / share)) },
    merged: { lines: 200_000, characters: 24e6 },
  }
}

export class OutputBuffer {
  readonly merged: LineLog
  private readonly logs = new Map<number, LineLog>()
  private readonly writers = new Map<string, Writer>()
  private readonly offsets = new Map<string, number>()

  constructor(private readonly limits: Limits) {
    this.merged = new LineLog(limits.merged)
  }

  /** The log of one source; made on first use, so that it can be shown before its first line. */
  of(source: number): LineLog {
    let log = this.logs.get(source)
    if (!log) {
      log = new LineLog(this.limits.perSource)
      this.logs.set(source, log)
    }
    return log
  }

  /** The last line with something to read, as plain text. */
  preview(source: number): string {
    const log = this.logs.get(source)
    if (!log) return ''
    for (let number = log.end - 1; number >= Math.max(log.first, log.end - 5); number -= 1) {
      const text = plainText(log.at(number)?.text ?? '').trim()
      if (text !== '') return text.slice(0, PREVIEW)
    }
    return ''
  }

  /** True once per (stream of a task, offset): a chunk sent again after a reconnect is refused. */
  isNew(stream: string, offset: number): boolean {
    const seen = this.offsets.get(stream)
    if (seen !== undefined && offset <= seen) return false
    this.offsets.set(stream, offset)
    return true
  }

  append(source: number, stream: StreamName, text: string): void {
    const writer = this.writer(source, stream)
    let from = 0
    while (from < text.length) {
      const feed = text.indexOf('\n', from)
      const to = feed < 0 ? text.length : feed
      if (to > from || !writer.open) this.extend(writer, source, stream, text.slice(from, to))
      if (feed < 0) break
      this.close(writer)
      from = feed + 1
    }
  }

  gap(source: number, stream: StreamName, text: string): void {
    const writer = this.writer(source, stream)
    if (writer.open) this.close(writer)
    const line = new OutputLine(text, source, 'gap', PLAIN)
    line.closed = true
    this.push(line)
  }

  /** No more output will come: what is open is complete. */
  finish(): void {
    for (const writer of this.writers.values()) if (writer.open) this.close(writer)
  }

  private writer(source: number, stream: StreamName): Writer {
    const key = `${source}/${stream}`
    let writer = this.writers.get(key)
    if (!writer) {
      writer = { open: null, sgr: PLAIN }
      this.writers.set(key, writer)
    }
    return writer
  }

  private extend(writer: Writer, source: number, stream: StreamName, piece: string): void {
    let rest = piece
    do {
      if (!writer.open) {
        writer.open = new OutputLine('', source, stream, writer.sgr)
        this.push(writer.open)
      }
      const room = LONGEST_LINE - writer.open.text.length
      this.write(writer.open, rest.slice(0, room))
      rest = rest.slice(room)
      if (rest !== '') this.close(writer)
    } while (rest !== '')
  }

  private write(line: OutputLine, piece: string): void {
    const before = line.text.length
    line.text = overwritten(line.text + piece)
    const change = line.text.length - before
    this.of(line.source).grow(line, change)
    this.merged.grow(line, change)
  }

  private close(writer: Writer): void {
    const line = writer.open
    if (!line) return
    if (line.text.endsWith('\r')) line.text = line.text.slice(0, -1)
    writer.sgr = endState(line.text, line.start)
    line.closed = true
    writer.open = null
  }

  private push(line: OutputLine): void {
    this.of(line.source).push(line)
    this.merged.push(line)
  }
}

/** What a terminal would show after carriage returns: progress bars keep their latest state only. */
function overwritten(text: string): string {
  const last = text.lastIndexOf('\r', text.length - 2)
  return last < 0 || text.length < 2 ? text : text.slice(last + 1)
}
