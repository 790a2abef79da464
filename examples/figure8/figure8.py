from sklearn.datasets import load_digits
from sklearn.metrics import log_loss
from sklearn.model_selection import train_test_split
from sklearn.neural_network import MLPClassifier
import pickle
import sys

#sys.argv[1] definition
#0->provider
#1->validator

#data section
data, label = load_digits(return_X_y=True)
(trainData, testData, trainLabel, testLabel) = train_test_split(data, label, random_state=0)
trainData=trainData/ 16.0
testData= testData/16.0

#create model
if sys.argv[1] == '0':
  mod = MLPClassifier(hidden_layer_sizes=(128,), max_iter=60, random_state=0)
else:
  mod = pickle.load(open("result.pkl", "rb"))

if sys.argv[1] == '0':
  mod.fit(trainData, trainLabel)
  pickle.dump(mod, open("result.pkl", "wb"))

loss, acc = log_loss(testLabel, mod.predict_proba(testData)), mod.score(testData, testLabel)
print('acc: ', acc)
print('loss: ',loss)
