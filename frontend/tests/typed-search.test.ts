import { describe, expect, it } from 'vitest'
import { createApp, h } from 'vue'
import { createI18n } from 'vue-i18n'
import { type TypedSearch, useTypedSearch } from '@/ui/typed-search'

function asked() {
  const waiting = new Map<string, { answer: (found: string[]) => void; fail: (thrown: unknown) => void }>()
  let made: TypedSearch<string> | undefined
  const app = createApp({
    setup() {
      made = useTypedSearch((text) => new Promise<string[]>((answer, fail) => waiting.set(text, { answer, fail })))
      return () => h('div')
    },
  })
  app.use(createI18n({ legacy: false, locale: 'en', messages: { en: { ui: { errors: { client: 'A mistake.' } } } } }))
  app.mount(document.createElement('div'))
  return { search: made!, waiting }
}

describe('finding by typing', () => {
  it('keeps the answer to what was typed last, also when an earlier one comes later', async () => {
    const { search, waiting } = asked()
    const first = search.look('')
    const second = search.look('ann')
    waiting.get('ann')!.answer(['ann'])
    await second
    waiting.get('')!.answer(['bob', 'carl'])
    await first

    expect(search.found.value).toEqual(['ann'])
    expect(search.loading.value).toBe(false)
  })

  it('says why there is nothing to choose from, until it works again', async () => {
    const { search, waiting } = asked()
    const refused = search.look('ann')
    waiting.get('ann')!.fail({ status: 503, code: 'unavailable', message: 'Try again.', requestId: null })
    await refused
    expect([search.found.value, search.failure.value]).toEqual([[], 'Try again.'])

    const broken = search.look('bob')
    waiting.get('bob')!.fail(new TypeError('x'))
    await broken
    expect(search.failure.value).toBeTruthy()

    const good = search.look('carl')
    waiting.get('carl')!.answer(['carl'])
    await good
    expect(search.failure.value).toBeUndefined()
  })
})
