// What this person likes on this device. public/boot.js reads the same record before the first paint.
import { defineStore } from 'pinia'
import { computed, reactive, toRefs, watch } from 'vue'

export type Theme = 'system' | 'light' | 'dark'
export type Language = 'en' | 'zh'
export type Density = 'normal' | 'compact'

interface Preferences {
  theme: Theme
  language: Language
  density: Density
  railFolded: boolean
  wrapOutput: boolean
}

export const PREFERENCES_KEY = 'opsjob.preferences'

function browserLanguage(): Language {
  return navigator.language.toLowerCase().startsWith('zh') ? 'zh' : 'en'
}

function kept(): Partial<Preferences> {
  try {
    return JSON.parse(localStorage.getItem(PREFERENCES_KEY) ?? '{}') as Partial<Preferences>
  } catch {
    return {}
  }
}

export const usePreferences = defineStore('preferences', () => {
  const values = reactive<Preferences>({
    theme: 'system', language: browserLanguage(), density: 'normal', railFolded: false, wrapOutput: matchMedia('(max-width: 640px)').matches, ...kept(),
  })
  const systemDark = matchMedia('(prefers-color-scheme: dark)')
  const system = reactive({ dark: systemDark.matches })
  systemDark.addEventListener('change', (change) => (system.dark = change.matches))
  const isDark = computed(() => (values.theme === 'system' ? system.dark : values.theme === 'dark'))

  watch(values, () => {
    try {
      localStorage.setItem(PREFERENCES_KEY, JSON.stringify(values))
    } catch {
      // A full or forbidden store loses the preference at the next visit, nothing more.
    }
  })
  watch(() => [isDark.value, values.language, values.density] as const, ([dark, language, density]) => {
    const root = document.documentElement
    root.classList.toggle('dark', dark)
    root.lang = language === 'zh' ? 'zh-CN' : 'en'
    root.dataset.density = density
  }, { immediate: true })

  return { ...toRefs(values), isDark }
})
