// The type specimen's knobs.

const sample = document.querySelector(".sample");
document.querySelector(".knobs").hidden = false;
for (const knob of document.querySelectorAll(".knobs input")) {
  const value = knob.parentElement.querySelector("output");
  const turn = () => {
    sample.style.setProperty(`--${knob.name}`, knob.value);
    value.textContent = knob.value;
  };
  knob.addEventListener("input", turn);
  turn();
}
