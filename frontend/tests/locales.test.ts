import { createI18n } from 'vue-i18n'
import { describe, expect, it } from 'vitest'
import { messages as en } from '@/app/messages-en'
import { messages as zh } from '@/app/messages-zh'
import type { Messages } from '@/app/message-tree'

function flat(tree: Messages, prefix = ''): Map<string, string> {
  const found = new Map<string, string>()
  for (const [key, value] of Object.entries(tree)) {
    if (typeof value === 'string') found.set(prefix + key, value)
    else for (const [inner, text] of flat(value as Messages, `${prefix}${key}.`)) found.set(inner, text)
  }
  return found
}

const english = flat(en)
const chinese = flat(zh)
const sources = import.meta.glob<string>(['../src/**/*.vue', '../src/**/*.ts'], { eager: true, query: '?raw', import: 'default' })
const placeholders = (text: string): string[] => [...new Set(text.match(/\{\w+\}/g) ?? [])].sort()

describe('words', () => {
  it('are complete in both languages', () => {
    expect([...chinese.keys()].sort()).toEqual([...english.keys()].sort())
    expect(english.size).toBeGreaterThan(200)
  })

  it.each([['en', english], ['zh', chinese]] as const)('are never empty (%s)', (_language, texts) => {
    expect([...texts].filter(([, text]) => text.trim() === '')).toEqual([])
  })

  it('use the same values', () => {
    const differing = [...english].filter(([key, text]) => {
      const there = placeholders(chinese.get(key) ?? '')
      return placeholders(text).join() !== there.join()
    })

    expect(differing.map(([key]) => key)).toEqual([])
  })

  it('follow the house style: no exclamation marks, no "please"', () => {
    const texts = [...english.values(), ...chinese.values()]

    expect(texts.filter((text) => /[!！]|\bplease\b|请(?!求)/i.test(text))).toEqual([])
  })

  it('exist for every key that the code names', () => {
    const named = Object.values(sources).flatMap((text) => [...text.matchAll(/\bt\('([\w.]+)'/g)].map((match) => match[1] as string))

    expect(named.length).toBeGreaterThan(150)
    expect([...new Set(named)].filter((key) => !english.has(key))).toEqual([])
  })

  it('can be compiled and counted', () => {
    const i18n = createI18n({ legacy: false, locale: 'en', messages: { en: {} } })
    i18n.global.setLocaleMessage('en', en)
    const t = i18n.global.t as (key: string, values: object, count?: number) => string
    for (const key of english.keys()) expect(t(key, { count: 2 })).not.toBe(key)

    expect(t('execution.quick.plan.run', { language: 'Shell', count: '1', timeout: '300' }, 1)).toBe('Shell on 1 host, at most 300 s.')
    expect(t('execution.quick.plan.run', { language: 'Shell', count: '12', timeout: '300' }, 12)).toBe('Shell on 12 hosts, at most 300 s each.')
  })
})

describe('every text', () => {
  it.each([['en', english], ['zh', chinese]] as const)('is a message that can be shown (%s)', (language, texts) => {
    const i18n = createI18n({ legacy: false, locale: language, messages: { [language]: {} } })
    i18n.global.setLocaleMessage(language, language === 'en' ? en : zh)
    const broken = [...texts.keys()].filter((key) => {
      try {
        return i18n.global.t(key, { count: 1 }, 1) === ''
      } catch {
        return true
      }
    })

    expect(broken).toEqual([])
  })
})
