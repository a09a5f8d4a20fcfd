import { afterEach, describe, expect, it } from 'vitest'
import { createApp, h, nextTick, ref } from 'vue'
import TabBar from '@/ui/TabBar.vue'

const TABS = ['data', 'security', 'sessions'].map((value) => ({ value, label: value.toUpperCase() }))

function page(opened: string) {
  const value = ref(opened)
  const app = createApp(() => h(TabBar, { tabs: TABS, label: 'Profile', modelValue: value.value, 'onUpdate:modelValue': (next: string) => (value.value = next) }, () => `about ${value.value}`))
  app.mount(document.body.appendChild(document.createElement('div')))
  const stops = () => [...document.querySelectorAll<HTMLElement>('[role=tab]')].filter((tab) => tab.tabIndex >= 0).map((tab) => tab.innerText)
  const press = async (key: string, more: KeyboardEventInit = {}) => {
    const event = new KeyboardEvent('keydown', { key, bubbles: true, cancelable: true, ...more })
    document.activeElement?.dispatchEvent(event)
    await nextTick()
    return event.defaultPrevented
  }
  const first = document.querySelector<HTMLElement>('[role=tab][tabindex="0"]')
  first?.focus()
  return { app, value, stops, press }
}

afterEach(() => document.body.replaceChildren())

describe('tabs by keys', () => {
  it('are one stop of the Tab key, at the one that is open', async () => {
    const { app, stops, value } = page('security')
    expect(stops()).toEqual(['SECURITY'])

    value.value = 'gone'
    await nextTick()

    expect(stops()).toEqual(['DATA'])
    app.unmount()
  })

  it('are walked through with arrows, Home and End, around both ends', async () => {
    const { app, press, stops, value } = page('data')
    const seen: string[] = []
    for (const key of ['ArrowRight', 'ArrowRight', 'ArrowRight', 'ArrowLeft', 'Home', 'End']) {
      expect(await press(key)).toBe(true)
      seen.push(value.value)
      expect([stops(), (document.activeElement as HTMLElement).innerText]).toEqual([[value.value.toUpperCase()], value.value.toUpperCase()])
    }

    expect(seen).toEqual(['security', 'sessions', 'data', 'sessions', 'data', 'sessions'])
    app.unmount()
  })

  it('leave other keys to the browser', async () => {
    const { app, press, value } = page('data')

    expect([await press('ArrowDown'), await press('Tab'), await press('ArrowRight', { altKey: true })]).toEqual([false, false, false])
    expect(value.value).toBe('data')
    app.unmount()
  })
})

describe('what the open tab shows', () => {
  it('is named by it, and by it alone', async () => {
    const { app, value } = page('security')
    const panel = document.querySelector('[role=tabpanel]')
    const owner = () => document.getElementById(panel?.getAttribute('aria-labelledby') ?? '')
    expect([owner()?.textContent, panel?.textContent]).toEqual(['SECURITY', 'about security'])
    expect([...document.querySelectorAll('[role=tab]')].map((tab) => tab.getAttribute('aria-controls'))).toEqual([panel?.id, panel?.id, panel?.id])

    value.value = 'sessions'
    await nextTick()

    expect([owner()?.textContent, panel?.textContent]).toEqual(['SESSIONS', 'about sessions'])
    app.unmount()
  })

  it('is no panel where there are no tabs', () => {
    const app = createApp(() => h(TabBar, { tabs: [], label: 'Profile', modelValue: '' }, () => 'all there is'))
    app.mount(document.body.appendChild(document.createElement('div')))

    expect(document.body.textContent).toBe('all there is')
    expect(document.querySelector('[role=tablist], [role=tabpanel]')).toBeNull()
    app.unmount()
  })
})
