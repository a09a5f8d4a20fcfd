// SHA-256 piece by piece (FIPS 180-4). The browser's own digest wants the whole file in memory, and exists only on https.

const BLOCK = 64

/** First 32 bits of the fractional parts of the roots of the first primes: square roots to begin with, cube roots for each round. */
function fractions(count: number, power: number): Uint32Array {
  const found = new Uint32Array(count)
  for (let number = 2, at = 0; at < count; number += 1) {
    let isPrime = true
    for (let divisor = 2; divisor * divisor <= number; divisor += 1) if (number % divisor === 0) isPrime = false
    if (isPrime) found[at++] = ((number ** power) % 1) * 2 ** 32
  }
  return found
}

const ROUNDS = fractions(64, 1 / 3)

const turn = (word: number, by: number): number => (word >>> by) | (word << (32 - by))

export class Sha256 {
  private readonly state = fractions(8, 1 / 2)
  private readonly words = new Uint32Array(64)
  private readonly rest = new Uint8Array(BLOCK)
  private held = 0
  private total = 0

  update(bytes: Uint8Array): this {
    this.total += bytes.length
    let at = 0
    if (this.held > 0) {
      at = Math.min(BLOCK - this.held, bytes.length)
      this.rest.set(bytes.subarray(0, at), this.held)
      this.held += at
      if (this.held < BLOCK) return this
      this.block(new DataView(this.rest.buffer), 0)
      this.held = 0
    }
    const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length)
    for (; at + BLOCK <= bytes.length; at += BLOCK) this.block(view, at)
    this.rest.set(bytes.subarray(at), 0)
    this.held = bytes.length - at
    return this
  }

  /** The sum as 64 hexadecimal digits; nothing may be added afterwards. */
  hex(): string {
    const bits = this.total * 8
    const tail = new Uint8Array((this.held < 56 ? 56 : 120) - this.held + 8)
    tail[0] = 0x80
    const view = new DataView(tail.buffer)
    view.setUint32(tail.length - 8, Math.floor(bits / 2 ** 32))
    view.setUint32(tail.length - 4, bits % 2 ** 32)
    this.update(tail)
    return Array.from(this.state, (word) => word.toString(16).padStart(8, '0')).join('')
  }

  private block(view: DataView, from: number): void {
    const w = this.words
    for (let i = 0; i < 16; i += 1) w[i] = view.getUint32(from + i * 4)
    for (let i = 16; i < 64; i += 1) {
      const a = w[i - 15] as number
      const b = w[i - 2] as number
      w[i] = (w[i - 16] as number) + (turn(a, 7) ^ turn(a, 18) ^ (a >>> 3)) + (w[i - 7] as number) + (turn(b, 17) ^ turn(b, 19) ^ (b >>> 10))
    }
    let [a, b, c, d, e, f, g, h] = this.state as unknown as [number, number, number, number, number, number, number, number]
    for (let i = 0; i < 64; i += 1) {
      const one = (h + (turn(e, 6) ^ turn(e, 11) ^ turn(e, 25)) + ((e & f) ^ (~e & g)) + (ROUNDS[i] as number) + (w[i] as number)) | 0
      const two = ((turn(a, 2) ^ turn(a, 13) ^ turn(a, 22)) + ((a & b) ^ (a & c) ^ (b & c))) | 0
      ;[h, g, f, e, d, c, b, a] = [g, f, e, (d + one) | 0, c, b, a, (one + two) | 0]
    }
    const sums = [a, b, c, d, e, f, g, h]
    for (let i = 0; i < 8; i += 1) this.state[i] = (this.state[i] as number) + (sums[i] as number)
  }
}
