// The Idempotency-Key of a submit: the same for a retry of the same request, so that a lost answer never runs a
// script twice; a new one once the request changed or was accepted.

export class SubmitKey {
  private key = ''
  private content = ''

  constructor(private readonly make: () => string = randomKey) {}

  for(request: unknown): string {
    const content = JSON.stringify(request)
    if (this.key === '' || content !== this.content) {
      this.key = this.make()
      this.content = content
    }
    return this.key
  }

  /** The answer is known for good: the next submit is a new one, even with the same content. */
  settle(): void {
    this.key = ''
  }
}

/** crypto.randomUUID exists only on https and localhost; random bytes exist everywhere. */
function randomKey(): string {
  return Array.from(crypto.getRandomValues(new Uint8Array(16)), (byte) => byte.toString(16).padStart(2, '0')).join('')
}
