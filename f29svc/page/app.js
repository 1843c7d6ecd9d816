document.getElementById("app").textContent = "Formulario 29";
