// Splits a byte stream into server-sent events (WHATWG HTML 9.2.6), fed piece by piece.

export interface ServerEvent {
  event: string
  data: string
  /** The last id seen so far, as the standard has it; the place to resume from. */
  id: string
}

export class SseParser {
  retryMilliseconds: number | null = null
  lastId = ''
  private rest = ''
  private event = ''
  private data: string[] = []
  private readonly decoder = new TextDecoder()
  private afterReturn = false

  feed(bytes: Uint8Array): ServerEvent[] {
    return this.feedText(this.decoder.decode(bytes, { stream: true }))
  }

  feedText(text: string): ServerEvent[] {
    const found: ServerEvent[] = []
    let piece = text
    if (this.afterReturn && piece.startsWith('\n')) piece = piece.slice(1)
    if (piece !== '') this.afterReturn = false
    if (piece.endsWith('\r')) this.afterReturn = true
    const lines = (this.rest + piece).split(/\r\n|\n|\r/)
    this.rest = lines.pop() ?? ''
    for (const line of lines) this.line(line, found)
    return found
  }

  private line(line: string, found: ServerEvent[]): void {
    if (line === '') {
      if (this.data.length > 0) found.push({ event: this.event || 'message', data: this.data.join('\n'), id: this.lastId })
      this.event = ''
      this.data = []
      return
    }
    const colon = line.indexOf(':')
    if (colon === 0) return
    const field = colon < 0 ? line : line.slice(0, colon)
    let value = colon < 0 ? '' : line.slice(colon + 1)
    if (value.startsWith(' ')) value = value.slice(1)
    this.field(field, value)
  }

  private field(name: string, value: string): void {
    if (name === 'data') this.data.push(value)
    else if (name === 'event') this.event = value
    else if (name === 'id' && !value.includes('\0')) this.lastId = value
    else if (name === 'retry' && /^\d+$/.test(value)) this.retryMilliseconds = Number(value)
  }
}
