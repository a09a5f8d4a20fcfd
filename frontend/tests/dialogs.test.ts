import { afterEach, describe, expect, it, vi } from 'vitest'
import { createApp, h, nextTick, reactive } from 'vue'
import { createI18n } from 'vue-i18n'
import ConfirmDanger from '@/ui/ConfirmDanger.vue'

/** Two questions of one page, as a page of agents has them. */
function page() {
  const open = reactive({ disable: false, release: false })
  const confirmed = vi.fn()
  const question = (name: 'disable' | 'release', count: number) => h(ConfirmDanger, {
    modelValue: open[name], 'onUpdate:modelValue': (value: boolean) => (open[name] = value), title: name, text: '', action: name, count, onConfirm: () => confirmed(name),
  })
  const app = createApp(() => [question('disable', 1), question('release', 21)])
  app.use(createI18n({ legacy: false, locale: 'en', missingWarn: false, fallbackWarn: false, messages: { en: {} } }))
  app.mount(document.body.appendChild(document.createElement('div')))
  return { app, open, confirmed }
}

const dialogOf = (title: string) => document.querySelector(`[role=dialog][aria-label=${title}]`) as HTMLElement
const buttonOf = (title: string) => dialogOf(title).querySelector('button[type=submit]') as HTMLButtonElement

afterEach(() => document.body.replaceChildren())

describe('questions before something that hurts', () => {
  it('are answered each by its own button, also when another one was asked before', async () => {
    const { app, open, confirmed } = page()
    open.disable = true
    await nextTick()
    open.disable = false
    open.release = true
    await nextTick()
    await nextTick()

    const typed = dialogOf('release').querySelector('input') as HTMLInputElement
    for (const number of ['20', '21']) {
      typed.value = number
      typed.dispatchEvent(new Event('input', { bubbles: true }))
      await nextTick()
      await nextTick()
      buttonOf('release').click()
      expect(buttonOf('release').disabled).toBe(number === '20')
    }

    expect(confirmed.mock.calls).toEqual([['release']])
    app.unmount()
  })
})
