import { afterEach, describe, expect, it } from 'vitest'
import { createApp, h, nextTick } from 'vue'
import { createI18n } from 'vue-i18n'
import { namesFrom } from '@/api/names'
import { messages as zh } from '@/app/messages-zh'
import GrantText from '@/ui/GrantText.vue'
import UserSelect from '@/ui/UserSelect.vue'

/** Something shown in Chinese; `shown` is its text now. */
function shown(component: object, props: Record<string, unknown>): () => string {
  const place = document.body.appendChild(document.createElement('div'))
  const app = createApp(() => h(component, props))
  const i18n = createI18n({ legacy: false, locale: 'zh', messages: { zh: {} } })
  i18n.global.setLocaleMessage('zh', zh)
  app.use(i18n).mount(place)
  return () => place.textContent ?? ''
}

const settled = async (): Promise<void> => {
  for (let turn = 0; turn < 8; turn += 1) await nextTick()
}

afterEach(() => document.body.replaceChildren())

describe('the host of a grant', () => {
  it.each([['web-1', 'web-1'], [null, '#1']])('is nothing until it is known, then %s', async (name, words) => {
    let tell = (): void => undefined
    const answer = new Promise<{ name: string }>((resolve, reject) => (tell = () => (name === null ? reject(new Error('gone')) : resolve({ name }))))
    const { nameOf } = namesFrom({ host: { byId: () => answer } })
    const text = shown(GrantText, { part: { actions: ['view'], object_type: 'host', object_ids: ['1'] }, nameOf })
    await settled()
    expect(text()).toBe('查看 · 主机：…')
    tell()
    await settled()

    expect(text()).toBe(`查看 · 主机：${words}`)
  })
})

describe('somebody who is chosen by an address', () => {
  it('is no bare number until the name is known', async () => {
    let tell: (one: { id: number; name: string }) => void = () => undefined
    const answer = new Promise<{ id: number; name: string }>((resolve) => (tell = resolve))
    const text = shown(UserSelect, { modelValue: 7, label: 'who', search: async () => [], byId: () => answer })
    await settled()
    expect(text()).not.toContain('7')
    tell({ id: 7, name: 'wang.lei' })
    await settled()

    expect(text()).toContain('wang.lei')
  })
})
