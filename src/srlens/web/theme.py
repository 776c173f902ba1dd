"""The look: system fonts, nothing from elsewhere, one accent colour, light and dark."""

from typing import Any

_SANS = ("system-ui", "-apple-system", "Segoe UI", "Roboto", "DejaVu Sans", "sans-serif")
_MONO = ("ui-monospace", "SF Mono", "Menlo", "DejaVu Sans Mono", "monospace")


def page_theme() -> Any:
    """The gradio theme of the page."""
    import gradio as gr
    from gradio.themes.utils.fonts import Font

    theme = gr.themes.Base(
        primary_hue="teal",
        neutral_hue="slate",
        radius_size="md",
        spacing_size="md",
        text_size="md",
        font=[Font(name) for name in _SANS],
        font_mono=[Font(name) for name in _MONO],
    )
    return theme.set(
        body_background_fill="*neutral_50",
        body_background_fill_dark="*neutral_950",
        body_text_color_subdued="*neutral_600",
        body_text_color_subdued_dark="*neutral_400",
        block_background_fill="white",
        block_background_fill_dark="*neutral_900",
        block_border_width="1px",
        block_label_background_fill="white",
        block_label_background_fill_dark="*neutral_900",
        block_title_text_weight="600",
        button_primary_background_fill="*primary_700",
        button_primary_background_fill_hover="*primary_800",
        button_primary_background_fill_dark="*primary_700",
        button_primary_background_fill_hover_dark="*primary_600",
        button_primary_text_color="white",
        button_primary_text_color_dark="white",
        input_background_fill="*neutral_50",
        input_background_fill_dark="*neutral_800",
    )


#: For the head of the page: gradio's own ``css`` would be scoped to the inside of its container.
STYLES = """<style>
gradio-app, .gradio-container { max-width: 100% !important; }
.gradio-container { padding: 0 !important; }
.gradio-container .main { max-width: 1440px !important; margin: 0 auto !important; padding: 16px 20px 32px !important; }
.gradio-container .main > .wrap { width: 100%; min-width: 0; }
footer { display: none !important; }
:focus-visible { outline: 3px solid var(--color-accent); outline-offset: 1px; }
.gradio-container.gradio-container {
  .srl-head h1 { font-size: 1.5rem; margin: 0; }
  .srl-head p { margin: 2px 0 0; color: var(--body-text-color-subdued); }
  .srl-status { display: flex; gap: 10px; align-items: center; flex-wrap: wrap; padding: 8px 12px; border-radius: 6px;
    background: var(--block-background-fill); border: 1px solid var(--border-color-primary);
    color: var(--body-text-color); }
  .srl-status progress { flex: 1 1 160px; height: 8px; appearance: none; border: 0; border-radius: 4px;
    overflow: hidden; background: var(--border-color-primary); }
  .srl-status progress::-webkit-progress-bar { background: var(--border-color-primary); }
  .srl-status progress::-webkit-progress-value { background: var(--color-accent); }
  .srl-status progress::-moz-progress-bar { background: var(--color-accent); }
  .srl-status.srl-error { border-left: 4px solid #c62828; }
  .srl-status.srl-info { border-left: 4px solid var(--color-accent); }
  .srl-note { border-left: 4px solid #b26a00; padding: 6px 12px; margin: 0 0 8px; }
  .srl-code textarea, .srl-code input { font-family: var(--font-mono) !important; font-size: 0.85rem; }
  #picture-message:not(:has(.srl-status)), #network-message:not(:has(.srl-status)), #status:not(:has(.srl-status))
    { display: none; }
  .srl-empty { padding: 48px 24px; text-align: center; color: var(--body-text-color-subdued);
    border: 1px dashed var(--border-color-primary); border-radius: 8px; }
  .srl-empty p { max-width: 52ch; margin: 6px auto; }
  .srl-results { --srl-line: var(--border-color-primary); }
  .srl-scroll { overflow-x: auto; max-width: 100%; }
  .srl-table { width: 100%; border-collapse: collapse; border: 0 !important; font-variant-numeric: tabular-nums;
    font-size: 0.86rem; margin: 0 !important; }
  .srl-table tr { background: none !important; border: 0 !important; }
  .srl-caption { color: var(--body-text-color-subdued); margin: 0 0 4px; }
  .srl-table th, .srl-table td { padding: 5px 7px !important; text-align: right;
    white-space: nowrap; border: 0 !important; border-bottom: 1px solid var(--srl-line) !important; }
  .srl-table thead th { font-weight: 600; }
  .srl-table th:first-child { text-align: left; }
  .srl-table .srl-di { font-weight: 700; }
  .srl-faint { color: var(--body-text-color-subdued); }
  .srl-given { display: grid; grid-template-columns: repeat(3, minmax(0, 1fr)); gap: 12px; margin: 14px 0;
    max-width: 560px; }
  .srl-networks { display: grid; grid-template-columns: repeat(auto-fit, minmax(190px, 1fr)); gap: 14px; }
  .srl-network { background: var(--block-background-fill); border: 1px solid var(--srl-line); border-radius: 8px;
    padding: 12px; max-width: 420px; }
  .srl-network h3 { margin: 0; font-size: 1rem; overflow-wrap: anywhere; }
  .srl-about { margin: 0; font-size: 0.82rem; color: var(--body-text-color-subdued); min-height: 1.2em; }
  .srl-big { font-size: 1.5rem; font-weight: 700; margin: 2px 0 8px; font-variant-numeric: tabular-nums; }
  .srl-big span { font-size: 0.9rem; font-weight: 500; color: var(--body-text-color-subdued); }
  .srl-pictures { display: grid; gap: 10px; }
  .srl-results figure { margin: 0; min-width: 0; }
  .srl-results figcaption { font-size: 0.82rem; color: var(--body-text-color-subdued); margin-top: 3px; }
  .srl-stack { position: relative; line-height: 0; overflow: hidden; border-radius: 3px; }
  .srl-stack img { width: 100%; height: auto; display: block; image-rendering: pixelated; margin: 0; }
  .srl-stack img + img { position: absolute; inset: 0; height: 100%; }
  .srl-map { opacity: var(--srl-blend, 0.75); }
  .srl-frame { position: absolute; box-sizing: border-box; box-shadow: 0 0 0 1px #000, 0 0 0 2px #fff; }
  .srl-bars { display: grid; grid-template-columns: repeat(auto-fit, minmax(240px, 1fr)); gap: 16px;
    margin: 16px 0 8px; }
  .srl-bar img { width: 100%; height: 14px; display: block; border-radius: 2px; margin: 0; }
  .srl-bar { padding: 0 16px; }
  .srl-ticks { position: relative; height: 1.3em; margin: 2px 0 0; font-size: 0.78rem;
    font-variant-numeric: tabular-nums; }
  .srl-ticks span { position: absolute; transform: translateX(-50%); }
  .srl-conditions { font-size: 0.85rem; color: var(--body-text-color-subdued); }
  .srl-conditions li { overflow-wrap: anywhere; }
}
@media (max-width: 800px) {
  #main { flex-direction: column; }
  #main > * { width: 100%; min-width: 0 !important; }
}
@media (max-width: 640px) {
  .gradio-container .main { padding: 8px 6px 24px !important; }
  .gradio-container.gradio-container {
    .srl-networks { grid-template-columns: minmax(0, 1fr); }
    .srl-network { max-width: none; display: grid; grid-template-columns: repeat(2, minmax(0, 1fr)); gap: 10px; }
    .srl-pictures { display: contents; }
    .srl-given { gap: 8px; max-width: none; }
  }
}
@media (prefers-reduced-motion: reduce) { * { animation-duration: 0.01ms !important; transition: none !important; } }
</style>"""
