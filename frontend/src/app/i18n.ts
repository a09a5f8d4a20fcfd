// Words of the console. Each part keeps its own locale files; one language is one chunk, loaded when it is chosen.
import { createI18n } from 'vue-i18n'
import type { Language } from '@/ui/preferences'

export const i18n = createI18n({ legacy: false, locale: 'en', fallbackLocale: false, messages: {} })

const loaders: Record<Language, () => Promise<{ messages: Record<string, unknown> }>> = {
  en: () => import('./messages-en'),
  zh: () => import('./messages-zh'),
}
const TAGS: Record<Language, string> = { en: 'en', zh: 'zh-CN' }

export async function useLanguage(language: Language): Promise<void> {
  const tag = TAGS[language]
  if (!i18n.global.availableLocales.includes(tag as never)) {
    const { messages } = await loaders[language]()
    i18n.global.setLocaleMessage(tag, messages as never)
  }
  i18n.global.locale.value = tag as never
}
