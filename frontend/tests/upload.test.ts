import { createHash } from 'node:crypto'
import { afterEach, describe, expect, it, vi } from 'vitest'
import { effectScope } from 'vue'
import { Sha256 } from '@/api/sha256'

describe('the sum of a file', () => {
  it.each([0, 1, 55, 56, 63, 64, 65, 119, 120, 1_000, 100_003])('is right for %i bytes in any pieces', (length) => {
    const bytes = Uint8Array.from({ length }, (_, at) => (at * 31 + 7) % 256)
    const sum = new Sha256()
    for (let at = 0; at < length; ) {
      const size = 1 + ((at * 13) % 97)
      sum.update(bytes.subarray(at, at + size))
      at += size
    }

    expect(sum.hex()).toBe(createHash('sha256').update(bytes).digest('hex'))
  })
})

/** A server that keeps what it is sent, and loses the connection or an answer when told to. */
class FakeStore {
  received = ''
  failures: ('lost' | 'answer')[] = []
  readonly stored = { id: 'f1', name: 'a.txt', size: 26 }

  answer = async (input: RequestInfo | URL, init?: RequestInit): Promise<Response> => {
    const request = input instanceof Request ? input : new Request(new URL(String(input), 'http://console'), init)
    const url = new URL(request.url)
    if (request.method === 'PUT') {
      const failure = this.failures.shift()
      if (failure === 'lost') throw new TypeError('connection lost')
      if (Number(url.searchParams.get('offset')) !== this.received.length) return this.envelope(409, { error: 'upload_offset_differs' })
      this.received += await request.text()
      if (failure === 'answer') throw new TypeError('answer lost')
    }
    if (url.pathname.endsWith('/complete/')) return this.envelope(201, this.stored)
    return this.envelope(200, { upload_id: 'u1', offset: this.received.length, chunk_bytes: 10 })
  }

  private envelope(status: number, content: object): Response {
    return new Response(JSON.stringify({ code: status, message: '', success: status < 400, content }), { status, headers: { 'Content-Type': 'application/json' } })
  }
}

describe('an upload', () => {
  afterEach(() => {
    vi.unstubAllGlobals()
    localStorage.clear()
  })

  it('goes on where the server stands after the connection or an answer was lost', async () => {
    const store = new FakeStore()
    store.failures = ['answer', 'lost']
    vi.stubGlobal('fetch', store.answer)
    vi.stubGlobal('setTimeout', (action: () => void) => queueMicrotask(action))
    // The client takes fetch when it is made.
    vi.resetModules()
    const { useUploads } = await import('@/api/uploads')
    const scope = effectScope()
    const stored = await new Promise<string>((resolve) => {
      scope.run(() => useUploads((file) => resolve(file.id)).add([new File(['abcdefghijklmnopqrstuvwxyz'], 'a.txt')]))
    })
    scope.stop()

    expect(stored).toBe('f1')
    expect(store.received).toBe('abcdefghijklmnopqrstuvwxyz')
  })
})
